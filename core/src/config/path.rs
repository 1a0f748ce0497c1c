//! Where a value is in a configuration: `clients[1].tls.key`.

use std::fmt;

/// One step of a [`ConfigPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into the field of a resource.
    Field(&'static str),
    /// To the element of a list, from 0.
    Index(usize),
    /// To the entry of a map.
    Key(String),
}

/// The way from the top of a configuration to a value. Displays as `clients[1].address`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigPath(pub Vec<Step>);

impl ConfigPath {
    /// The path of a top-level field.
    #[must_use]
    pub fn of(field: &'static str) -> Self {
        Self(vec![Step::Field(field)])
    }

    /// This path and one field further.
    #[must_use]
    pub fn field(&self, field: &'static str) -> Self {
        self.then(Step::Field(field))
    }

    /// This path and one list element further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// This path and one map entry further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}
