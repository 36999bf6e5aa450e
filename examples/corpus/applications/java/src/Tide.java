import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** Tells the tide, and what of the world a Java program relies on. */
public final class Tide {
    interface Page {
        String answer(String rest, byte[] body) throws Exception;
    }

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        var pool = Executors.newFixedThreadPool(4);
        server.setExecutor(pool);
        add(server, "/", (rest, body) -> {
            if (!rest.isEmpty()) throw new java.io.FileNotFoundException(rest);
            return "high";
        });
        add(server, "/time/", World::time);
        add(server, "/bytes/", World::bytes);
        add(server, "/host/", (rest, body) -> java.net.IDN.toASCII(rest));
        add(server, "/names", World::names);
        add(server, "/trust", World::trust);
        add(server, "/upload", World::upload);
        add(server, "/tool/", (rest, body) -> Tools.named(rest).use());
        add(server, "/greet/", World::greet);
        add(server, "/broken", (rest, body) -> String.valueOf(1 / rest.length()));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop(0);
            System.out.println("the tide is out");
        }));
        server.start();
        System.out.println("the tide is in");
    }

    private static void add(HttpServer server, String path, Page page) {
        server.createContext(path, exchange -> {
            String rest = exchange.getRequestURI().getPath().substring(path.length());
            try {
                reply(exchange, 200, page.answer(rest, exchange.getRequestBody().readAllBytes()));
            } catch (java.io.FileNotFoundException missing) {
                reply(exchange, 404, "nothing at " + missing.getMessage());
            } catch (Exception failure) {
                reply(exchange, 500, "failed: " + failure);
            }
        });
    }

    private static void reply(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(status, bytes.length);
        try (var out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }
}
