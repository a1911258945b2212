package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"sort"
	"strconv"
	"strings"
)

// form writes a node of the syntax tree without comments, positions and names of imports, so that two pieces of source
// with one meaning have one form: interface{} is any, literals are written by their value, a package is its path.
func form(node ast.Node, imports map[string]string) string {
	text := &strings.Builder{}
	ast.Walk(former{text: text, imports: imports}, node)
	return text.String()
}

type former struct {
	text    *strings.Builder
	imports map[string]string
}

func (f former) Visit(node ast.Node) ast.Visitor {
	switch n := node.(type) {
	case nil:
		f.text.WriteByte(')')
		return nil
	case *ast.Comment, *ast.CommentGroup:
		return nil
	case *ast.SelectorExpr:
		if name, ok := n.X.(*ast.Ident); ok && name.Obj == nil {
			if path, ok := f.imports[name.Name]; ok {
				fmt.Fprintf(f.text, "(import %q %s)", path, n.Sel.Name)
				return nil
			}
		}
	case *ast.InterfaceType:
		if n.Methods.NumFields() == 0 {
			f.text.WriteString("(Ident any)")
			return nil
		}
		f.interfaces(n)
		return nil
	case *ast.BasicLit:
		fmt.Fprintf(f.text, "(lit %s %s)", n.Kind, value(n))
		return nil
	}
	name := strings.TrimPrefix(fmt.Sprintf("%T", node), "*ast.")
	f.text.WriteByte('(')
	f.text.WriteString(name)
	f.text.WriteString(detail(node))
	return f
}

// interfaces writes methods in the order of their forms: their own order means nothing.
func (f former) interfaces(node *ast.InterfaceType) {
	var forms []string
	for _, method := range node.Methods.List {
		forms = append(forms, form(method, f.imports))
	}
	sort.Strings(forms)
	f.text.WriteString("(InterfaceType" + strings.Join(forms, "") + ")")
}

func value(literal *ast.BasicLit) string {
	known := constant.MakeFromLiteral(literal.Value, literal.Kind, 0)
	if known.Kind() == constant.Unknown {
		return literal.Value
	}
	return known.ExactString()
}

// detail returns what the children of a node do not show: operators, and which optional child is there.
func detail(node ast.Node) string {
	switch n := node.(type) {
	case *ast.Ident:
		return " " + n.Name
	case *ast.BinaryExpr:
		return " " + n.Op.String()
	case *ast.UnaryExpr:
		return " " + n.Op.String()
	case *ast.AssignStmt:
		return " " + strconv.Itoa(len(n.Lhs)) + n.Tok.String()
	case *ast.IncDecStmt:
		return " " + n.Tok.String()
	case *ast.BranchStmt:
		return " " + n.Tok.String()
	case *ast.GenDecl:
		return " " + n.Tok.String()
	case *ast.ChanType:
		return fmt.Sprintf(" %d", n.Dir)
	case *ast.CallExpr:
		return fmt.Sprintf(" %t", n.Ellipsis != token.NoPos)
	case *ast.TypeSpec:
		return fmt.Sprintf(" %t", n.Assign != token.NoPos)
	case *ast.RangeStmt:
		return fmt.Sprintf(" %s %t %t", n.Tok, n.Key != nil, n.Value != nil)
	case *ast.SliceExpr:
		return fmt.Sprintf(" %t %t %t %t", n.Low != nil, n.High != nil, n.Max != nil, n.Slice3)
	case *ast.ForStmt:
		return fmt.Sprintf(" %t %t %t", n.Init != nil, n.Cond != nil, n.Post != nil)
	case *ast.IfStmt:
		return fmt.Sprintf(" %t %t", n.Init != nil, n.Else != nil)
	case *ast.SwitchStmt:
		return fmt.Sprintf(" %t %t", n.Init != nil, n.Tag != nil)
	case *ast.TypeSwitchStmt:
		return fmt.Sprintf(" %t", n.Init != nil)
	case *ast.CaseClause:
		return " " + strconv.Itoa(len(n.List))
	case *ast.CommClause:
		return fmt.Sprintf(" %t", n.Comm != nil)
	case *ast.ValueSpec:
		return fmt.Sprintf(" %d %t %d", len(n.Names), n.Type != nil, len(n.Values))
	case *ast.Field:
		return fmt.Sprintf(" %d %t", len(n.Names), n.Tag != nil)
	case *ast.FuncDecl:
		return fmt.Sprintf(" %t", n.Recv != nil)
	case *ast.FuncType:
		return fmt.Sprintf(" %t %t", n.TypeParams != nil, n.Results != nil)
	case *ast.ArrayType:
		return fmt.Sprintf(" %t", n.Len != nil)
	case *ast.CompositeLit:
		return fmt.Sprintf(" %t", n.Type != nil)
	}
	return ""
}
