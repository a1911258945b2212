package labkit;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.stereotype.Component;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** One property in two beans: one as it comes, one with @RefreshScope. */
@SpringBootApplication
public class App {
    public static void main(String[] arguments) {
        SpringApplication.run(App.class, arguments);
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

    @RestController
    public static class Answers {
        private final Plain plain;
        private final Scoped scoped;

        public Answers(Plain plain, Scoped scoped) {
            this.plain = plain;
            this.scoped = scoped;
        }

        @GetMapping("/plain")
        public String plain() {
            return plain.greeting();
        }

        @GetMapping("/scoped")
        public String scoped() {
            return scoped.greeting();
        }
    }
}
