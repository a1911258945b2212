//go:build cgo

package kernel

import "testing"

func TestAWrongResultOfCIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(Instance){
		"tanhf-c":  func(i Instance) { i.(*saturationC).out[0] = 0.5 },
		"cgo-call": func(i Instance) { i.(*call).count++ },
	} {
		instance := setUp(t, name)
		if err := instance.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(instance)
		if instance.(verifier).verify() == nil {
			t.Errorf("%s: the check passed", name)
		}
	}
}
