// Command hello is both ends of the generated Greeter service: "hello serve" and "hello call ADDRESS NAME".
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	"labkit.dev/hello/pb"
)

type greeter struct {
	pb.UnimplementedGreeterServer
}

func (greeter) Greet(_ context.Context, request *pb.GreetRequest) (*pb.GreetReply, error) {
	greeting := fmt.Sprintf("Hello, %s!", request.GetName())
	return &pb.GreetReply{Greeting: greeting, AnsweredAt: timestamppb.Now()}, nil
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	pb.RegisterGreeterServer(server, greeter{})
	fmt.Printf("listening on %s\n", listener.Addr())
	return server.Serve(listener)
}

func call(address, name string) error {
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	deadline, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client := pb.NewGreeterClient(connection)
	// The first call also opens the connection; the second one is timed.
	if _, err := client.Greet(deadline, &pb.GreetRequest{Name: name}); err != nil {
		return err
	}
	started := time.Now()
	reply, err := client.Greet(deadline, &pb.GreetRequest{Name: name})
	if err != nil {
		return err
	}
	took := time.Since(started)
	if reply.GetAnsweredAt().AsTime().IsZero() {
		return fmt.Errorf("the reply carries no time")
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"method":       pb.Greeter_Greet_FullMethodName,
		"request":      name,
		"reply":        reply.GetGreeting(),
		"call_time_ns": took.Nanoseconds(),
	})
}

func main() {
	log.SetFlags(0)
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		err = serve()
	case len(os.Args) == 4 && os.Args[1] == "call":
		err = call(os.Args[2], os.Args[3])
	default:
		log.Fatal("usage: hello serve | hello call ADDRESS NAME")
	}
	if err != nil {
		log.Fatal(err)
	}
}
