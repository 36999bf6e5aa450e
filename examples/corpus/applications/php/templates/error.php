<!doctype html>
<title>Oh</title>
<p><?= htmlspecialchars($message) ?>
