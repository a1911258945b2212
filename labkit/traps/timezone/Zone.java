import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Prints an instant (seconds since 1970) in the zone that the environment names. */
public class Zone {
    public static void main(String[] arguments) {
        Instant instant = Instant.ofEpochSecond(Long.parseLong(arguments[0]));
        DateTimeFormatter format = DateTimeFormatter.ofPattern("HH:mm z xx", Locale.ENGLISH);
        System.out.println(format.format(instant.atZone(ZoneId.systemDefault())));
    }
}
