// Command apart is of a module whose plugin stands in a module file of its own, tools.mod.
package main

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func main() {
	fmt.Println(proto.Size(timestamppb.Now()) > 0)
}
