package main

import (
	"go/ast"
	"slices"
	"strings"
)

// featuresOf returns what of a file changed between versions of the generators; labkit/codegen/drift/eras.toml says when.
func featuresOf(side *Side) []string {
	found := map[string]bool{}
	if side.Descriptor != "" {
		found["descriptor:"+side.Descriptor] = true
	}
	for _, path := range side.paths {
		found["import:"+path] = true
	}
	ast.Inspect(side.tree, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			if name, ok := n.X.(*ast.Ident); ok && name.Obj == nil {
				switch side.names[name.Name] {
				case "google.golang.org/grpc", "google.golang.org/protobuf/runtime/protoimpl", "github.com/golang/protobuf/proto", "github.com/gogo/protobuf/proto":
					if telling[n.Sel.Name] {
						found["uses:"+n.Sel.Name] = true
					}
				}
			}
		case *ast.Field:
			if n.Tag != nil && strings.Contains(n.Tag.Value, "protogen:") {
				found["tag:protogen"] = true
			}
			if len(n.Names) == 1 && strings.HasPrefix(n.Names[0].Name, "XXX_") {
				found["field:XXX_"] = true
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				if strings.HasSuffix(name.Name, "_FullMethodName") {
					found["const:FullMethodName"] = true
				}
				if strings.HasSuffix(name.Name, "_rawDescData") && n.Type != nil {
					found["var:rawDescData"] = true
				}
			}
			return n.Values == nil || !descriptorName.MatchString(n.Names[0].Name)
		}
		return true
	})
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var telling = map[string]bool{
	"UnsafeEnabled": true, "MessageState": true, "SupportPackageIsVersion4": true, "SupportPackageIsVersion6": true, "SupportPackageIsVersion7": true,
	"SupportPackageIsVersion8": true, "SupportPackageIsVersion9": true, "StaticMethod": true,
	"ProtoPackageIsVersion2": true, "ProtoPackageIsVersion3": true, "ProtoPackageIsVersion4": true, "EnforceVersion": true,
}
