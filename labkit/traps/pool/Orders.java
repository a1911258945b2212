import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A service with connection pools on a database in memory. It is told what to do by lines on standard input, a command
 * and name=value words, and answers each with one line of name=value fields between tabs. It ends with its input.
 */
public final class Orders {
    private static final String URL = "jdbc:h2:mem:shop;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=600000;OPTIMIZE_REUSE_RESULTS=0";
    private static final String ONE_ORDER = "UPDATE orders SET note = 'seen' WHERE id = 1";
    private static final String OLD_ORDERS =
        "SELECT COUNT(*) FROM orders WHERE status = 'pending' AND created_at < TIMESTAMP '2024-01-02 00:00:00'";

    /** One pool and what became of the requests that were sent to it. */
    private static final class Pool {
        final HikariDataSource source;
        final List<Connection> dropped = new ArrayList<>();
        int sent;
        int holding;
        int ok;
        int failed;
        long longestMs;
        String error = "";

        Pool(HikariDataSource source) {
            this.source = source;
        }

        /** What every request of the service does: take a connection, ask the database, give the connection back. */
        void handle(String statement) {
            long began = System.nanoTime();
            try (Connection connection = source.getConnection()) {
                synchronized (this) {
                    holding++;
                }
                try (Statement asked = connection.createStatement()) {
                    asked.execute(statement);
                } finally {
                    synchronized (this) {
                        holding--;
                    }
                }
                ended(began, null);
            } catch (SQLException error) {
                ended(began, error);
            }
        }

        private synchronized void ended(long began, SQLException fault) {
            longestMs = Math.max(longestMs, (System.nanoTime() - began) / 1_000_000);
            if (fault == null) {
                ok++;
                return;
            }
            failed++;
            if (error.isEmpty()) {
                error = fault.getClass().getName() + ": " + fault.getMessage().replace('\n', ' ');
            }
        }

        synchronized String state() {
            HikariPoolMXBean bean = source.getHikariPoolMXBean();
            return "sent=" + sent + "\tholding=" + holding + "\tok=" + ok + "\tfailed=" + failed + "\tlongest_ms="
                + longestMs + "\ttotal=" + bean.getTotalConnections() + "\tactive=" + bean.getActiveConnections()
                + "\tidle=" + bean.getIdleConnections() + "\twaiting=" + bean.getThreadsAwaitingConnection()
                + "\terror=" + error;
        }
    }

    private final Map<String, Pool> pools = new HashMap<>();
    private final Connection batch = DriverManager.getConnection(URL);

    private Orders() throws SQLException {
        try (Statement made = batch.createStatement()) {
            made.execute("CREATE TABLE orders (id INT PRIMARY KEY, status VARCHAR, created_at TIMESTAMP, note VARCHAR)");
            made.execute("INSERT INTO orders VALUES (1, 'pending', TIMESTAMP '2024-01-01 00:00:00', '')");
            made.execute(ONE_ORDER); // loads what the first request would wait for otherwise
        }
        batch.setAutoCommit(false);
    }

    public static void main(String[] arguments) throws IOException, SQLException {
        Orders service = new Orders();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String answer;
            try {
                answer = service.answer(line.split(" "));
            } catch (SQLException | RuntimeException fault) {
                answer = "refused=" + fault.getClass().getName() + ": " + fault.getMessage();
            }
            System.out.println(answer.replace('\n', ' '));
            System.out.flush();
        }
        System.exit(0);
    }

    private String answer(String[] words) throws SQLException {
        Map<String, String> values = new HashMap<>();
        for (int i = 1; i < words.length; i++) {
            String[] halves = words[i].split("=", 2);
            values.put(halves[0], halves[1]);
        }
        Pool pool = pools.get(values.getOrDefault("pool", ""));
        switch (words[0]) {
            case "open":
                return open(values);
            case "go":
                return go(pool, Integer.parseInt(values.get("n")), values.get("query").equals("old"));
            case "drop":
                for (int i = 0; i < Integer.parseInt(values.get("n")); i++) {
                    pool.dropped.add(pool.source.getConnection());
                }
                return pool.state();
            case "state":
                return pool.state();
            case "batch":
                return batch(values.get("do"));
            case "rows":
                return change("INSERT INTO orders SELECT x + 1, CASE MOD(x, 10000) WHEN 0 THEN 'pending' ELSE 'done' END,"
                    + " DATEADD(SECOND, x, TIMESTAMP '2024-01-01 00:00:00'), '' FROM SYSTEM_RANGE(1, "
                    + values.get("n") + ")");
            case "index":
                return change("CREATE INDEX orders_by_status ON orders (status, created_at)");
            case "plan":
                return plan();
            default:
                throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }

    private String open(Map<String, String> values) {
        HikariConfig wanted = new HikariConfig();
        wanted.setPoolName(values.get("pool"));
        wanted.setJdbcUrl(URL);
        wanted.setMaximumPoolSize(Integer.parseInt(values.get("size")));
        wanted.setConnectionTimeout(Long.parseLong(values.get("timeout")));
        wanted.setLeakDetectionThreshold(Long.parseLong(values.get("leak")));
        HikariDataSource source = new HikariDataSource(wanted);
        pools.put(values.get("pool"), new Pool(source));
        return "timeout=" + source.getConnectionTimeout() + "\tleak=" + source.getLeakDetectionThreshold();
    }

    private String go(Pool pool, int n, boolean old) {
        synchronized (pool) {
            pool.sent = n;
            pool.ok = 0;
            pool.failed = 0;
            pool.longestMs = 0;
            pool.error = "";
        }
        for (int i = 0; i < n; i++) {
            Thread request = new Thread(() -> pool.handle(old ? OLD_ORDERS : ONE_ORDER));
            request.setName("request-" + pool.source.getPoolName() + "-" + i);
            request.setDaemon(true);
            request.start();
        }
        return pool.state();
    }

    /** A batch job that writes the orders in one long transaction, and holds their locks until it is committed. */
    private String batch(String what) throws SQLException {
        if (what.equals("begin")) {
            try (Statement held = batch.createStatement()) {
                return "rows=" + held.executeUpdate(ONE_ORDER);
            }
        }
        batch.commit();
        return "rows=0";
    }

    private String change(String statement) throws SQLException {
        try (Connection own = DriverManager.getConnection(URL); Statement made = own.createStatement()) {
            return "rows=" + made.executeUpdate(statement);
        }
    }

    private String plan() throws SQLException {
        try (Connection own = DriverManager.getConnection(URL);
                PreparedStatement asked = own.prepareStatement("EXPLAIN ANALYZE " + OLD_ORDERS);
                ResultSet said = asked.executeQuery()) {
            said.next();
            return "plan=" + said.getString(1).replace('\n', ' ');
        }
    }
}
