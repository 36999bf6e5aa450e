import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** Tools that are found by their class's name when somebody asks for them. */
final class Tools {
    interface Tool {
        String use() throws Exception;
    }

    static Tool named(String name) throws Exception {
        try {
            return (Tool) Class.forName("Tools$" + name).getDeclaredConstructor().newInstance();
        } catch (ClassNotFoundException missing) {
            throw new java.io.FileNotFoundException(name);
        }
    }

    static final class Packed implements Tool {
        public String use() throws Exception {
            var out = new ByteArrayOutputStream();
            try (var packed = new GZIPOutputStream(out)) {
                packed.write("unpacked".getBytes());
            }
            return new String(new GZIPInputStream(new ByteArrayInputStream(out.toByteArray())).readAllBytes());
        }
    }

    static final class Document implements Tool {
        public String use() throws Exception {
            var builder = javax.xml.parsers.DocumentBuilderFactory.newInstance().newDocumentBuilder();
            var document = builder.parse(new ByteArrayInputStream("<tide><level>3</level></tide>".getBytes()));
            return "level " + javax.xml.xpath.XPathFactory.newInstance().newXPath().evaluate("/tide/level", document);
        }
    }

    static final class Keys implements Tool {
        public String use() throws Exception {
            var generator = java.security.KeyPairGenerator.getInstance("EC");
            generator.initialize(new java.security.spec.ECGenParameterSpec("secp256r1"));
            return "key " + generator.generateKeyPair().getPublic().getAlgorithm();
        }
    }

    static final class Logger implements Tool {
        public String use() {
            java.util.logging.Logger.getLogger("tide").info("logged");
            return "logged with " + java.util.logging.LogManager.getLogManager().getProperty("handlers");
        }
    }
}
