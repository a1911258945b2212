package labkit;

import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** One property read in four ways. Run as two applications of one process: with the endpoint exposed, and without. */
@SpringBootApplication
public class Beans {
    /** The arguments of the first, then those of the second after the word "and". */
    public static void main(String[] arguments) {
        String[] both = String.join("\n", arguments).split("\nand\n");
        for (String each : both) {
            SpringApplication.run(Beans.class, each.split("\n"));
        }
    }

    @Component
    public static class Plain {
        @Value("${greeting}")
        private String greeting;

        public String greeting() {
            return greeting;
        }
    }

    @Component
    @RefreshScope
    public static class Scoped {
        @Value("${greeting}")
        private String greeting;

        public String greeting() {
            return greeting;
        }
    }

    @Component
    @ConfigurationProperties("shop")
    public static class Bound {
        private String greeting;

        public String getGreeting() {
            return greeting;
        }

        public void setGreeting(String greeting) {
            this.greeting = greeting;
        }
    }

    @RestController
    public static class Answers {
        private final Plain plain;
        private final Scoped scoped;
        private final Bound bound;
        private final Environment environment;

        public Answers(Plain plain, Scoped scoped, Bound bound, Environment environment) {
            this.plain = plain;
            this.scoped = scoped;
            this.bound = bound;
            this.environment = environment;
        }

        /** The ways by name, and the value that each has now. */
        @GetMapping("/values")
        public Map<String, String> values() {
            return Map.of("plain", plain.greeting(), "scoped", scoped.greeting(), "bound", bound.getGreeting(),
                "environment", environment.getProperty("greeting"));
        }
    }
}
