//! Our console against a real director.

mod recorded;
