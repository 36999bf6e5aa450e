<!doctype html>
<title>Catalogue</title>
<link rel="stylesheet" href="/site.css">
<table><?php foreach ($books as $book): ?><tr><td><?= htmlspecialchars($book) ?><?php endforeach ?></table>
