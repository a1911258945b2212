package kernel

import (
	"context"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"labkit.dev/kernels/pb"
)

const echoStream = 3

func echoKernels() []Kernel {
	var all []Kernel
	for _, k := range []struct {
		name, title, operation string
		connect                func() (*wire, error)
		streaming              bool
	}{
		{"grpc-echo-bufconn", "gRPC: one unary echo, in memory", "call", inMemory, false},
		{"grpc-echo-loopback", "gRPC: one unary echo, over loopback TCP", "call", overLoopback, false},
		{"grpc-stream-bufconn", "gRPC: one message there and back on an open stream, in memory", "message", inMemory, true},
		{"grpc-stream-loopback", "gRPC: one message there and back on an open stream, over loopback TCP", "message", overLoopback, true},
	} {
		k := k // Go 1.21 has one variable a loop
		all = append(all, Kernel{
			Name: k.name, Title: k.title, Checked: "the reply equals the request", Family: "grpc",
			Operation: k.operation, Threads: 2, NeedsWallTime: true,
			BytesPerOp: int64(proto.Size(newSmall(newRandom(echoStream)))),
			Setup:      func() (Instance, error) { return startEcho(echoServer{}, k.connect, k.streaming) },
		})
	}
	return all
}

// wire is where a server listens, and how a client gets there.
type wire struct {
	listener net.Listener
	target   string
	options  []grpc.DialOption
}

// inMemory is grpc's in-memory connection: the whole of gRPC and HTTP/2, no network.
func inMemory() (*wire, error) {
	listener := bufconn.Listen(1 << 20)
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }
	return &wire{listener, "passthrough:///bufconn", []grpc.DialOption{grpc.WithContextDialer(dial)}}, nil
}

// overLoopback is TCP through the system's own stack.
func overLoopback() (*wire, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &wire{listener, "passthrough:///" + listener.Addr().String(), []grpc.DialOption{grpc.WithNoProxy()}}, nil
}

// echo calls a server in the same process, by unary calls or on one stream that stays open.
type echo struct {
	request *pb.Small
	reply   *pb.Small
	client  pb.EchoClient
	stream  pb.Echo_StreamClient // nil for unary calls
	conn    *grpc.ClientConn
	server  *grpc.Server
	cancel  context.CancelFunc
	size    int
}

type echoServer struct {
	pb.UnimplementedEchoServer
}

func (echoServer) Unary(_ context.Context, in *pb.Small) (*pb.Small, error) { return in, nil }

func (echoServer) Stream(stream pb.Echo_StreamServer) error {
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(in); err != nil {
			return err
		}
	}
}

func startEcho(service pb.EchoServer, connect func() (*wire, error), streaming bool) (*echo, error) {
	way, err := connect()
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer()
	pb.RegisterEchoServer(server, service)
	go func() { _ = server.Serve(way.listener) }() // ends with Close; a server that never served fails the check
	conn, err := grpc.NewClient(way.target, append(way.options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		server.Stop()
		return nil, err
	}
	small := newSmall(newRandom(echoStream))
	ctx, cancel := context.WithCancel(context.Background())
	k := &echo{
		request: small, client: pb.NewEchoClient(conn), conn: conn, server: server, cancel: cancel, size: proto.Size(small),
	}
	if streaming {
		if k.stream, err = k.client.Stream(ctx); err != nil {
			k.Close()
			return nil, err
		}
	}
	return k, nil
}

func (k *echo) Run(n int) error {
	if k.stream != nil {
		return k.runStream(n)
	}
	ctx := context.Background()
	for i := 0; i < n; i++ {
		reply, err := k.client.Unary(ctx, k.request)
		if err != nil {
			return err
		}
		k.reply = reply
	}
	return nil
}

// runStream waits for each reply before it sends again, as the unary calls do.
func (k *echo) runStream(n int) error {
	for i := 0; i < n; i++ {
		if err := k.stream.Send(k.request); err != nil {
			return err
		}
		reply, err := k.stream.Recv()
		if err != nil {
			return err
		}
		k.reply = reply
	}
	return nil
}

func (k *echo) Check() error {
	if err := k.Run(1); err != nil {
		return fmt.Errorf("the echo call failed: %w", err)
	}
	return equalMessages(k.reply, k.request)
}

func (k *echo) PayloadBytes() int { return k.size }

func (k *echo) Close() {
	k.cancel()
	_ = k.conn.Close()
	k.server.Stop()
}
