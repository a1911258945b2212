package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"labkit.dev/kernels/pb"
)

const (
	// PluginVariable names the environment variable with protoc-gen-go's absolute path.
	PluginVariable = "LABKIT_PROTOC_GEN_GO"
	// LauncherVariable names the one with the program that the plugin needs to run, such as qemu-aarch64's absolute path;
	// unset where the system starts it itself.
	LauncherVariable = "LABKIT_LAUNCHER"

	pluginName  = "protoc-gen-go"
	pluginFiles = 16
)

func pluginKernels() []Kernel {
	plugin := os.Getenv(PluginVariable)
	if plugin == "" {
		return nil
	}
	command := []string{plugin}
	if launcher := os.Getenv(LauncherVariable); launcher != "" {
		command = []string{launcher, plugin}
	}
	return []Kernel{{
		Name:      pluginName,
		Title:     "one run of protoc-gen-go, a process of its own, on a request of 16 files",
		Checked:   "the response holds 16 Go files that parse, each with the messages of its source",
		Family:    "codegen",
		Operation: "run",
		Threads:   1, // Go's collector in the plugin has threads of its own
		Setup:     func() (Instance, error) { return newPlugin(command) },
	}}
}

func missingPlugin() []Missing {
	if os.Getenv(PluginVariable) != "" {
		return nil
	}
	return []Missing{{pluginName, ReasonNoPlugin}}
}

// plugin starts protoc-gen-go as protoc does: a request on its standard input, the response from its standard output. Its
// CPU time is the children's of getrusage, which package usage counts in.
type plugin struct {
	command  []string
	request  []byte
	response []byte
}

func newPlugin(command []string) (Instance, error) {
	request, err := proto.MarshalOptions{Deterministic: true}.Marshal(pluginRequest())
	return &plugin{command: command, request: request}, err
}

// pluginRequest asks for Go code of bench.proto sixteen times over, each time as another package. It has no comments, which
// protoc would send along.
func pluginRequest() *pluginpb.CodeGeneratorRequest {
	request := &pluginpb.CodeGeneratorRequest{
		Parameter:       proto.String("paths=source_relative"),
		CompilerVersion: &pluginpb.Version{Major: proto.Int32(5), Minor: proto.Int32(30), Patch: proto.Int32(2)},
	}
	for i := 0; i < pluginFiles; i++ {
		file := protodesc.ToFileDescriptorProto(pb.File_bench_proto)
		was, is := "."+file.GetPackage()+".", fmt.Sprintf(".labkit.copy%02d.v1.", i)
		file.Name = proto.String(fmt.Sprintf("copy%02d.proto", i))
		file.Package = proto.String(strings.Trim(is, "."))
		file.Options = &descriptorpb.FileOptions{GoPackage: proto.String(fmt.Sprintf("labkit.dev/copy%02d", i))}
		rename := func(name *string) *string {
			if name == nil {
				return nil
			}
			return proto.String(strings.Replace(*name, was, is, 1))
		}
		var walk func(*descriptorpb.DescriptorProto)
		walk = func(m *descriptorpb.DescriptorProto) {
			for _, field := range m.Field {
				field.TypeName = rename(field.TypeName)
			}
			for _, nested := range m.NestedType {
				walk(nested)
			}
		}
		for _, m := range file.MessageType {
			walk(m)
		}
		for _, service := range file.Service {
			for _, method := range service.Method {
				method.InputType, method.OutputType = rename(method.InputType), rename(method.OutputType)
			}
		}
		request.FileToGenerate = append(request.FileToGenerate, file.GetName())
		request.ProtoFile = append(request.ProtoFile, file)
	}
	return request
}

func (k *plugin) Run(n int) error {
	for ; n > 0; n-- {
		var out, said bytes.Buffer
		run := exec.Command(k.command[0], k.command[1:]...)
		run.Env = []string{} // none of what the worker was given
		run.Stdin, run.Stdout, run.Stderr = bytes.NewReader(k.request), &out, &said
		if err := run.Run(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(k.command, " "), err, strings.TrimSpace(said.String()))
		}
		k.response = out.Bytes()
	}
	return nil
}

func (k *plugin) Check() error { return once(k) }

func (k *plugin) verify() error {
	response := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(k.response, response); err != nil {
		return err
	}
	if response.Error != nil {
		return errors.New(response.GetError())
	}
	if len(response.File) != pluginFiles {
		return fmt.Errorf("the response holds %d files, not %d", len(response.File), pluginFiles)
	}
	for i, file := range response.File {
		if want := fmt.Sprintf("copy%02d.pb.go", i); file.GetName() != want {
			return fmt.Errorf("file %d is %s, not %s", i, file.GetName(), want)
		}
		if err := holdsMessages(file.GetName(), file.GetContent()); err != nil {
			return err
		}
	}
	return nil
}

func holdsMessages(name, source string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	structs := map[string]bool{}
	for _, declared := range parsed.Decls {
		if general, is := declared.(*ast.GenDecl); is && general.Tok == token.TYPE {
			for _, spec := range general.Specs {
				structs[spec.(*ast.TypeSpec).Name.Name] = true
			}
		}
	}
	messages := pb.File_bench_proto.Messages()
	for i := 0; i < messages.Len(); i++ {
		if want := string(messages.Get(i).Name()); !structs[want] {
			return fmt.Errorf("%s has no type %s", name, want)
		}
	}
	return nil
}

func (k *plugin) PayloadBytes() int { return len(k.request) }
func (k *plugin) Close()            {}
