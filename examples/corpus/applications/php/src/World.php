<?php
declare(strict_types=1);

/** What the world around gives, and extensions that are used only when asked for. */
final class World
{
    public static function time(string $zone): string
    {
        return (new DateTimeImmutable('2026-01-01T12:00:00Z'))->setTimezone(new DateTimeZone($zone))->format('c');
    }

    public static function bytes(string $codec): string
    {
        return bin2hex(mb_convert_encoding('東京', $codec, 'UTF-8')) . ' ' . bin2hex(iconv('UTF-8', $codec, '東京'));
    }

    public static function host(string $name): string
    {
        return idn_to_ascii($name);
    }

    public static function sorted(string $language): string
    {
        $books = Books::all();
        (new Collator($language))->sort($books);
        $format = new IntlDateFormatter($language, IntlDateFormatter::FULL, IntlDateFormatter::NONE, 'UTC');
        return implode(', ', $books) . '; ' . $format->format(1772366400);
    }

    public static function trust(): string
    {
        $places = openssl_get_cert_locations();
        $bundle = file_get_contents($places['default_cert_dir'] . '/ca-certificates.crt');
        return 'certificates ' . count(array_filter(
            explode("-----END CERTIFICATE-----\n", $bundle),
            fn (string $one): bool => $one !== '' && openssl_x509_read("$one-----END CERTIFICATE-----\n") !== false,
        ));
    }

    public static function names(): string
    {
        return gethostbyname('localhost') . ' ' . posix_getpwuid(posix_getuid())['name'];
    }

    public static function upload(): string
    {
        $kept = tempnam(sys_get_temp_dir(), 'book-');
        file_put_contents($kept, file_get_contents('php://input'));
        $answer = $kept . ' ' . filesize($kept);
        unlink($kept);
        return $answer;
    }

    public static function store(): string
    {
        $store = new PDO('sqlite::memory:');
        $store->exec('create table book (title text)');
        $insert = $store->prepare('insert into book values (?)');
        foreach (Books::all() as $title) {
            $insert->execute([$title]);
        }
        return 'books ' . $store->query('select count(*) from book')->fetchColumn();
    }

    public static function document(): string
    {
        $document = new DOMDocument();
        $document->loadXML('<shelf><book>Zebra</book></shelf>');
        return (new DOMXPath($document))->evaluate('string(/shelf/book)');
    }

    public static function broken(): string
    {
        return (string) intdiv(1, 0);
    }
}
