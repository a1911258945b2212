package kernel

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"labkit.dev/kernels/pb"
)

const echoStream = 3

func echoKernels() []Kernel {
	return []Kernel{{
		Name:    "grpc-echo-bufconn",
		Title:   "gRPC: one unary echo, in memory",
		Checked: "the reply equals the request",
		Setup:   newEcho,
	}}
}

// echo calls a server in the same process over grpc's in-memory connection: the whole of gRPC and HTTP/2, no network.
type echo struct {
	request *pb.Small
	reply   *pb.Small
	client  pb.EchoClient
	conn    *grpc.ClientConn
	server  *grpc.Server
	size    int
}

type echoServer struct {
	pb.UnimplementedEchoServer
}

func (echoServer) Unary(_ context.Context, in *pb.Small) (*pb.Small, error) { return in, nil }

func newEcho() (Instance, error) { return startEcho(echoServer{}) }

func startEcho(service pb.EchoServer) (*echo, error) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	pb.RegisterEchoServer(server, service)
	go func() { _ = server.Serve(listener) }() // ends with Close; a server that never served fails the check
	conn, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		server.Stop()
		return nil, err
	}
	small := newSmall(newRandom(echoStream))
	return &echo{request: small, client: pb.NewEchoClient(conn), conn: conn, server: server, size: proto.Size(small)}, nil
}

func (k *echo) Run(n int) error {
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

func (k *echo) Check() error {
	if err := k.Run(1); err != nil {
		return fmt.Errorf("the echo call failed: %w", err)
	}
	return equalMessages(k.reply, k.request)
}

func (k *echo) PayloadBytes() int { return k.size }

func (k *echo) Close() {
	_ = k.conn.Close()
	k.server.Stop()
}
