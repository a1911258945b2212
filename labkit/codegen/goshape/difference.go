package main

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Difference is one place in which two files differ; "" stands for a side that has nothing there.
type Difference struct {
	What      string `json:"what"` // func, method, type, const, var, comment, descriptor, import, ...
	Path      string `json:"path"`
	Committed string `json:"committed"`
	Generated string `json:"generated"`
	API       bool   `json:"api"` // a user of the package sees it
}

// canonical fills in what writers of descriptors may leave out, and drops what no plugin embeds.
func canonical(file *descriptorpb.FileDescriptorProto) *descriptorpb.FileDescriptorProto {
	whole := proto.Clone(file).(*descriptorpb.FileDescriptorProto)
	whole.SourceCodeInfo = nil
	if whole.GetSyntax() == "" {
		whole.Syntax = proto.String("proto2")
	}
	named(whole.Extension)
	for _, message := range whole.MessageType {
		canonicalMessage(message)
	}
	return whole
}

func canonicalMessage(message *descriptorpb.DescriptorProto) {
	named(message.Field)
	named(message.Extension)
	for _, nested := range message.NestedType {
		canonicalMessage(nested)
	}
}

func named(fields []*descriptorpb.FieldDescriptorProto) {
	for _, field := range fields {
		if field.JsonName == nil {
			field.JsonName = proto.String(camel(field.GetName()))
		}
	}
}

// camel makes a field's JSON name as protoc does: an underscore goes and raises the letter after it.
func camel(name string) string {
	var text strings.Builder
	up := false
	for _, letter := range name {
		switch {
		case letter == '_':
			up = true
		case up && 'a' <= letter && letter <= 'z':
			text.WriteRune(letter - 'a' + 'A')
			up = false
		default:
			text.WriteRune(letter)
			up = false
		}
	}
	return text.String()
}

func describe(a, b *descriptorpb.FileDescriptorProto) []Difference {
	w := &walker{}
	w.message("", canonical(a).ProtoReflect(), canonical(b).ProtoReflect())
	return w.found
}

type walker struct{ found []Difference }

func (w *walker) add(path, a, b string) {
	w.found = append(w.found, Difference{What: "descriptor", Path: path, Committed: short(a), Generated: short(b), API: true})
}

func short(text string) string {
	if runes := []rune(text); len(runes) > 160 {
		return string(runes[:160]) + "..."
	}
	return text
}

func under(path string, name protoreflect.Name) string {
	if path == "" {
		return string(name)
	}
	return path + "." + string(name)
}

func (w *walker) message(path string, a, b protoreflect.Message) {
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		where := under(path, field.Name())
		switch {
		case !a.Has(field) && !b.Has(field):
		case field.Name() == "public_dependency" || field.Name() == "weak_dependency":
			w.set(where, dependencies(a, field), dependencies(b, field))
		case field.IsList() && field.Message() != nil && field.Message().Fields().ByName("name") != nil && named1(field):
			w.keyed(where, a.Get(field).List(), b.Get(field).List())
		case field.IsList():
			w.set(where, texts(field, a.Get(field).List()), texts(field, b.Get(field).List()))
		case field.Message() != nil:
			before := len(w.found)
			w.message(where, a.Get(field).Message(), b.Get(field).Message())
			if len(w.found) == before && a.Has(field) != b.Has(field) && !strings.HasSuffix(where, "options") {
				w.add(where, present(a, field), present(b, field))
			}
		default:
			if a.Has(field) != b.Has(field) || !a.Get(field).Equal(b.Get(field)) {
				w.add(where, scalar(a, field), scalar(b, field))
			}
		}
	}
	if !bytes.Equal(a.GetUnknown(), b.GetUnknown()) {
		w.add(under(path, "unknown"), fmt.Sprintf("%x", []byte(a.GetUnknown())), fmt.Sprintf("%x", []byte(b.GetUnknown())))
	}
}

// named1 tells whether the elements of a list are told apart by a name of text (an uninterpreted option's is a list).
func named1(field protoreflect.FieldDescriptor) bool {
	return field.Message().Fields().ByName("name").Kind() == protoreflect.StringKind
}

func (w *walker) keyed(path string, a, b protoreflect.List) {
	inA, orderA := byName(a)
	inB, orderB := byName(b)
	var common [2][]string
	for _, name := range orderA {
		where := fmt.Sprintf("%s[%s]", path, name)
		if other, ok := inB[name]; ok {
			w.message(where, inA[name], other)
			common[0] = append(common[0], name)
		} else {
			w.add(where, brief(inA[name]), "")
		}
	}
	for _, name := range orderB {
		if _, ok := inA[name]; ok {
			common[1] = append(common[1], name)
		} else {
			w.add(fmt.Sprintf("%s[%s]", path, name), "", brief(inB[name]))
		}
	}
	if first, second := strings.Join(common[0], ", "), strings.Join(common[1], ", "); first != second {
		w.add(path+" (order)", first, second)
	}
}

// byName returns the elements by name, and the names in order; a second one of a name is told apart by its number.
func byName(list protoreflect.List) (map[string]protoreflect.Message, []string) {
	found, order := map[string]protoreflect.Message{}, []string{}
	for i := range list.Len() {
		message := list.Get(i).Message()
		name := message.Get(message.Descriptor().Fields().ByName("name")).String()
		for _, taken := found[name]; taken; _, taken = found[name] {
			name += "#"
		}
		found[name] = message
		order = append(order, name)
	}
	return found, order
}

// brief says of an element what tells it best: a field's number and type, else that it is there.
func brief(message protoreflect.Message) string {
	switch m := message.Interface().(type) {
	case *descriptorpb.FieldDescriptorProto:
		kind := m.GetTypeName()
		if kind == "" {
			kind = strings.ToLower(strings.TrimPrefix(m.GetType().String(), "TYPE_"))
		}
		return fmt.Sprintf("%s = %d", kind, m.GetNumber())
	case *descriptorpb.EnumValueDescriptorProto:
		return fmt.Sprintf("= %d", m.GetNumber())
	case *descriptorpb.MethodDescriptorProto:
		return fmt.Sprintf("%s -> %s", m.GetInputType(), m.GetOutputType())
	}
	return "there"
}

func (w *walker) set(path string, a, b []string) {
	inA, inB := map[string]bool{}, map[string]bool{}
	for _, each := range a {
		inA[each] = true
	}
	for _, each := range b {
		inB[each] = true
		if !inA[each] {
			w.add(path, "", each)
		}
	}
	for _, each := range a {
		if !inB[each] {
			w.add(path, each, "")
		}
	}
	sort.Strings(a)
	sort.Strings(b)
	if len(inA) == len(inB) && strings.Join(a, "\n") != strings.Join(b, "\n") && len(a) != len(b) {
		w.add(path, fmt.Sprint(len(a)), fmt.Sprint(len(b)))
	}
}

func texts(field protoreflect.FieldDescriptor, list protoreflect.List) []string {
	found := []string{}
	for i := range list.Len() {
		if field.Message() != nil {
			raw, _ := proto.MarshalOptions{Deterministic: true}.Marshal(list.Get(i).Message().Interface())
			found = append(found, fmt.Sprintf("%v (%x)", list.Get(i).Message().Interface(), raw))
		} else {
			found = append(found, list.Get(i).String())
		}
	}
	return found
}

func dependencies(message protoreflect.Message, field protoreflect.FieldDescriptor) []string {
	files := message.Get(message.Descriptor().Fields().ByName("dependency")).List()
	indices := message.Get(field).List()
	found := []string{}
	for i := range indices.Len() {
		if at := int(indices.Get(i).Int()); at >= 0 && at < files.Len() {
			found = append(found, files.Get(at).String())
		} else {
			found = append(found, fmt.Sprint(at))
		}
	}
	return found
}

func scalar(message protoreflect.Message, field protoreflect.FieldDescriptor) string {
	if !message.Has(field) {
		return ""
	}
	value := message.Get(field)
	if field.Enum() != nil {
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return string(known.Name())
		}
	}
	return value.String()
}

func present(message protoreflect.Message, field protoreflect.FieldDescriptor) string {
	if message.Has(field) {
		return "there"
	}
	return ""
}
