<?php
declare(strict_types=1);

/** The books. */
final class Books
{
    public static function all(): array
    {
        return ['Zebra', 'Äpfel & Birnen', 'Moby Dick'];
    }
}
