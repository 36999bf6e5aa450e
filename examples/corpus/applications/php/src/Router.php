<?php
declare(strict_types=1);

/** Finds the page for a path. */
final class Router
{
    private const PAGES = ['time', 'bytes', 'host', 'sorted', 'trust', 'names', 'upload', 'store', 'document', 'broken'];

    public function answer(string $path): void
    {
        [$name, $rest] = explode('/', ltrim($path, '/'), 2) + ['', ''];
        try {
            if ($name === '') {
                $this->show('index', ['books' => Books::all()]);
            } elseif (in_array($name, self::PAGES, true)) {
                header('Content-Type: text/plain; charset=utf-8');
                echo World::$name($rest);
            } else {
                http_response_code(404);
                $this->show('error', ['message' => 'No such shelf']);
            }
        } catch (Throwable $error) {
            error_log($error->getMessage());
            http_response_code(500);
            header('Content-Type: text/html; charset=utf-8');
            $this->show('error', ['message' => 'The shelf collapsed']);
        }
    }

    private function show(string $template, array $values): void
    {
        extract($values);
        require __DIR__ . "/../templates/$template.php";
    }
}
