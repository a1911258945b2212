import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/** Collects its garbage, all threads paused, for each line on standard input, and says so; ends with its input. */
public final class Paused {
    public static void main(String[] arguments) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        while (input.readLine() != null) {
            System.gc();
            System.out.println("collected");
        }
    }
}
