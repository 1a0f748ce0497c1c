//! `towline`: the operator's tool.
fn main() {}
