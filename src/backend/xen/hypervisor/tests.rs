//! Tests of the layer against a hypervisor played by the test.
