package main

import (
	"reflect"

	_ "google.golang.org/grpc/binarylog/grpc_binarylog_v1"
	_ "google.golang.org/grpc/channelz/grpc_channelz_v1"
	_ "google.golang.org/grpc/health/grpc_health_v1"
	_ "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "labkit.dev/kernels/pb"
)

// messages returns the structs of gRPC-Go's own messages, of protobuf's, and of labkit's kernels.
func messages() map[string]reflect.Type {
	found := map[string]reflect.Type{}
	protoregistry.GlobalTypes.RangeMessages(func(kind protoreflect.MessageType) bool {
		name := string(kind.Descriptor().FullName())
		found[name] = reflect.TypeOf(kind.Zero().Interface()).Elem()
		return true
	})
	return found
}
