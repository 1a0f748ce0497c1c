//! What each daemon does with its connections and jobs.

pub mod director;
