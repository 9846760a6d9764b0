package clients

import (
	"os/exec"
	"testing"
)

// TestReplay replays the recorded answers of AWS with boto3, whose parsed answers they are.
func TestReplay(t *testing.T) {
	t.Parallel()
	need(t, "boto3", func() error { return exec.Command("python3", "-c", "import boto3").Run() })
	s := start(t, "dev")
	out, msg, err := command(t, "", append(s.environment(t, root), "GATEHOUSE_ACCOUNT="+account), "python3", "replay.py", "testdata/recorded")
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("replay: %v\n%s", err, msg)
	}
}
