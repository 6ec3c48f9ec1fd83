"""What `claudeopsctl doctor` looks at: one small function a check, in the table of `ipc.ctl.doctor`."""
