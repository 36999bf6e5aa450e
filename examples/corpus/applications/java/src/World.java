import java.net.InetAddress;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.FormatStyle;
import java.util.HexFormat;
import java.util.Locale;
import java.util.ResourceBundle;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** What the world around gives: zones, charsets, names, certificates, files. */
final class World {
    static String time(String zone, byte[] body) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
            Instant.parse("2026-01-01T12:00:00Z").atZone(ZoneId.of(zone)));
    }

    static String bytes(String charset, byte[] body) {
        return HexFormat.of().formatHex("東京".getBytes(Charset.forName(charset)));
    }

    static String names(String rest, byte[] body) throws Exception {
        return InetAddress.getByName("localhost").getHostAddress() + " " + System.getProperty("user.name");
    }

    static String trust(String rest, byte[] body) throws Exception {
        SSLContext.getDefault().createSSLEngine();
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        var manager = (X509TrustManager) factory.getTrustManagers()[0];
        return "certificates " + manager.getAcceptedIssuers().length;
    }

    static String upload(String rest, byte[] body) throws Exception {
        Path kept = Files.createTempFile("tide-", ".body");
        Files.write(kept, body);
        String answer = kept + " " + Files.size(kept);
        Files.delete(kept);
        return answer;
    }

    static String greet(String language, byte[] body) {
        Locale locale = Locale.forLanguageTag(language);
        String day = DateTimeFormatter.ofLocalizedDate(FormatStyle.FULL).withLocale(locale)
            .format(java.time.LocalDate.of(2026, 3, 1));
        return ResourceBundle.getBundle("messages", locale).getString("greeting") + " " + day;
    }
}
