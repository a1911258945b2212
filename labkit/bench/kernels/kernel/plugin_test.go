package kernel

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func TestTheRequestIsSound(t *testing.T) {
	request := pluginRequest()
	if len(request.FileToGenerate) != pluginFiles {
		t.Fatalf("%d files", len(request.FileToGenerate))
	}
	if _, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: request.ProtoFile}); err != nil {
		t.Error(err)
	}
}

// answer makes a program that answers with some bytes, as a plugin would.
func answer(t *testing.T, response *pluginpb.CodeGeneratorResponse) Instance {
	t.Helper()
	data, err := proto.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "response")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := newPlugin([]string{"/bin/cat", file})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAWrongResponseIsRefused(t *testing.T) {
	full := func() *pluginpb.CodeGeneratorResponse {
		source := "package p\ntype (\n\tSmall struct{}\n\tLarge struct{}\n\tNested struct{}\n\tMaps struct{}\n\tBytes struct{}\n)\n"
		response := new(pluginpb.CodeGeneratorResponse)
		for i := 0; i < pluginFiles; i++ {
			name := pluginRequest().FileToGenerate[i]
			response.File = append(response.File, &pluginpb.CodeGeneratorResponse_File{
				Name: proto.String(name[:len(name)-len("proto")] + "pb.go"), Content: proto.String(source),
			})
		}
		return response
	}
	if err := answer(t, full()).Check(); err != nil {
		t.Fatalf("a right one is refused: %v", err)
	}
	for name, spoil := range map[string]func(*pluginpb.CodeGeneratorResponse){
		"an error":      func(r *pluginpb.CodeGeneratorResponse) { r.Error = proto.String("no") },
		"too few files": func(r *pluginpb.CodeGeneratorResponse) { r.File = r.File[1:] },
		"a wrong name":  func(r *pluginpb.CodeGeneratorResponse) { r.File[3].Name = proto.String("other.pb.go") },
		"no Go":         func(r *pluginpb.CodeGeneratorResponse) { r.File[15].Content = proto.String("package") },
		"a type lacks": func(r *pluginpb.CodeGeneratorResponse) {
			r.File[0].Content = proto.String("package p\ntype Small struct{}\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			response := full()
			spoil(response)
			if answer(t, response).Check() == nil {
				t.Error("the check passed")
			}
		})
	}
}

func TestAPluginThatFailsOrIsNotThereIsSaid(t *testing.T) {
	for _, command := range [][]string{{"/bin/cat", "/nowhere"}, {"/nowhere"}} {
		k, err := newPlugin(command)
		if err != nil {
			t.Fatal(err)
		}
		if k.Check() == nil {
			t.Errorf("%v: the check passed", command)
		}
	}
}
