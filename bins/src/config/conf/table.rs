//! What a table of directives says, and how a directive is found in it.
//!
//! The tables below [`directives`](super::directives) are all there is about a directive: which name leads to which field of
//! the typed model, what its value looks like, and, where nothing acts on it, why it is accepted or refused all the same. The
//! reader, its warnings, the nearest name of a misspelt directive and the table in the docs come from them.

use towline_core::nearest::nearest;

use super::map::Mapper;
use super::parse::{Block, plain};
use super::read::Kind;
use super::value::Node;

/// A program of Bareos that Towline has a counterpart of: where its configuration is and what may stand in it.
#[derive(Clone, Copy, Debug)]
pub struct Component {
    /// Its name, as `bareos-dir`.
    pub(in super::super) name: &'static str,
    /// The file of Towline's own configuration in a folder.
    pub(in super::super) ron: &'static str,
    /// The single file in a folder of Bareos.
    pub(in super::super) file: &'static str,
    /// The tree in a folder of Bareos.
    pub(in super::super) tree: &'static str,
    pub(super) resources: &'static [Resource],
    /// From the resources of a text to the values of the typed configuration.
    pub(super) build: fn(&mut Mapper, &[Block]) -> Node,
}

/// The directives of a kind of resource, or of a block in one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource {
    pub(super) name: &'static str,
    /// Further names: the plural, or what older versions say.
    pub(super) also: &'static [&'static str],
    pub(super) rows: &'static [&'static [Directive]],
}

/// One directive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directive {
    pub(super) name: &'static str,
    pub(super) also: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) act: Act,
}

/// What becomes of a directive.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// It is this field of the typed resource.
    Field(&'static str),
    /// It is this field of the resource's TLS settings.
    Tls(&'static str),
    /// It acts in a way of its own, which this says.
    Made(&'static str),
    /// It is a note for people.
    Note,
    /// With these values it says what is so anyway; with others it is as the second says.
    Always(&'static [&'static str], &'static Self),
    /// It is accepted and has no effect. What happens instead.
    Without(&'static str),
    /// It is refused, because leaving it out of account would lose data or let somebody in. What to do.
    Refused(&'static str),
    /// The job, or each job with the fileset, is disabled, because it would save something else than was meant. Why.
    Disables(&'static str),
}

impl Directive {
    const fn new(name: &'static str, kind: Kind, act: Act) -> Self {
        Self { name, also: &[], kind, act }
    }

    /// With further names.
    pub(super) const fn or(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.also.iter().copied())
    }
}

pub(super) const fn field(name: &'static str, kind: Kind, field: &'static str) -> Directive {
    Directive::new(name, kind, Act::Field(field))
}

pub(super) const fn tls(name: &'static str, kind: Kind, field: &'static str) -> Directive {
    Directive::new(name, kind, Act::Tls(field))
}

pub(super) const fn made(name: &'static str, kind: Kind, how: &'static str) -> Directive {
    Directive::new(name, kind, Act::Made(how))
}

pub(super) const fn note(name: &'static str) -> Directive {
    Directive::new(name, Kind::Text, Act::Note)
}

pub(super) const fn always(
    name: &'static str,
    kind: Kind,
    values: &'static [&'static str],
    other: &'static Act,
) -> Directive {
    Directive::new(name, kind, Act::Always(values, other))
}

pub(super) const fn without(name: &'static str, kind: Kind, instead: &'static str) -> Directive {
    Directive::new(name, kind, Act::Without(instead))
}

pub(super) const fn refused(name: &'static str, kind: Kind, remedy: &'static str) -> Directive {
    Directive::new(name, kind, Act::Refused(remedy))
}

pub(super) const fn disables(name: &'static str, kind: Kind, why: &'static str) -> Directive {
    Directive::new(name, kind, Act::Disables(why))
}

impl Resource {
    pub(super) fn directives(&self) -> impl Iterator<Item = &'static Directive> + use<> {
        self.rows.iter().copied().flatten()
    }

    /// The directive of this name, without regard to case, spaces and underscores.
    pub(super) fn directive(&self, name: &str) -> Option<&'static Directive> {
        let wanted = plain(name);
        self.directives().find(|directive| directive.names().any(|known| plain(known) == wanted))
    }

    /// The directive that was probably meant.
    pub(super) fn near(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.directives().flat_map(Directive::names))
    }
}

impl Component {
    /// The name of the program: `bareos-dir`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name of the file of Towline's own configuration: `director.ron`.
    #[must_use]
    pub const fn ron(&self) -> &'static str {
        self.ron
    }

    /// The kind of resource of this name.
    pub(super) fn resource(&self, name: &str) -> Option<&'static Resource> {
        let wanted = plain(name);
        let is_it = |resource: &&Resource| {
            plain(resource.name) == wanted || resource.also.iter().any(|other| plain(other) == wanted)
        };
        self.resources.iter().find(is_it)
    }

    /// The kind of resource that was probably meant.
    pub(super) fn near(&self, name: &str) -> Option<&'static str> {
        nearest(name, self.resources.iter().map(|resource| resource.name))
    }

    /// The kinds of resources that know this directive.
    pub(super) fn with(&self, directive: &str) -> Vec<&'static str> {
        let knows = |resource: &&Resource| resource.directive(directive).is_some();
        self.resources.iter().filter(knows).map(|resource| resource.name).collect()
    }
}
