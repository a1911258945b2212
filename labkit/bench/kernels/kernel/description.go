package kernel

import "runtime"

// Description is a kernel as `worker list --json` tells of it.
type Description struct {
	Name              string   `json:"name"`
	Title             string   `json:"title"`
	Checked           string   `json:"checked"`
	Family            string   `json:"family"`
	Operation         string   `json:"operation"`
	SingleThreaded    bool     `json:"single_threaded"`
	Threads           int      `json:"threads"`
	NeedsWallTime     bool     `json:"needs_wall_time"`
	BytesPerOp        int64    `json:"bytes_per_op"`
	RealTimeNs        int64    `json:"real_time_ns"`
	PointUnit         string   `json:"point_unit"`
	Points            []int64  `json:"points"`
	DefaultPoint      int64    `json:"default_point"`
	RefusedTranslated bool     `json:"refused_translated"`
	Arms              []string `json:"arms"`
}

// Missing is a kernel of the suite that this worker cannot run here, and why.
type Missing struct {
	Name   string `json:"name"`
	Reason string `json:"reason"` // one of the Reason constants
}

// Why a kernel is not measured.
const (
	ReasonNoCgo        = "no-cgo"        // the worker was built without a C compiler
	ReasonNoPlugin     = "no-plugin"     // PluginVariable names no protoc-gen-go
	ReasonOneProcessor = "one-processor" // two threads cannot run at once
)

// Descriptions returns what there is to say of every kernel of All, in its order.
func Descriptions() []Description {
	var all []Description
	for _, k := range All() {
		all = append(all, Description{
			Name: k.Name, Title: k.Title, Checked: k.Checked, Family: k.Family, Operation: k.Operation,
			SingleThreaded: k.SingleThreaded, Threads: k.Threads, NeedsWallTime: k.NeedsWallTime,
			BytesPerOp: k.BytesPerOp, RealTimeNs: k.RealTime.Nanoseconds(),
			PointUnit: k.PointUnit, Points: append([]int64{}, k.Points...), DefaultPoint: k.DefaultPoint,
			RefusedTranslated: k.RefusedTranslated, Arms: append([]string{}, k.Arms...),
		})
	}
	return all
}

// NotMeasured returns the kernels of the suite that All lacks here.
func NotMeasured() []Missing {
	missing := []Missing{} // encoded as [], not null
	missing = append(missing, missingPlugin()...)
	missing = append(missing, missingCgo()...)
	if !severalProcessors() {
		for _, k := range append(sharing(), contendedAtomics()...) {
			missing = append(missing, Missing{k.Name, ReasonOneProcessor})
		}
	}
	return missing
}

func severalProcessors() bool { return runtime.GOMAXPROCS(0) > 1 }
