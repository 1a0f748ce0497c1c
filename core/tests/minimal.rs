//! The example of a runtime of one's own runs.

#[path = "../examples/minimal.rs"]
#[allow(dead_code, reason = "its main prints what is asserted here")]
mod minimal;

#[test]
fn the_minimal_example_authenticates_both_ends_and_hears_the_line() {
    let heard = minimal::talk();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(heard.contains(&"R_DIRECTOR::guest has proved that it knows the password".to_owned()), "{heard:?}");
    assert!(heard.contains(&"so has the daemon".to_owned()), "{heard:?}");
    assert_eq!(heard.last().map(String::as_str), Some("it says: Welcome"));
}
