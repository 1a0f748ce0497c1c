//! The console.

use towline_core::explain::codes;

use super::super::map::{Mapped, Mapper};
use super::super::parse::Block;
use super::super::value::Node;
use super::{mapped, of_kind, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let mut all = mapped(mapper, blocks);
    let (mut directors, consoles) = (of_kind(&mut all, "Director"), of_kind(&mut all, "Console"));
    for further in directors.iter().skip(1) {
        let message = format!("director {:?} is not used: a console has one, the first", further.name);
        mapper.warning(
            codes::WITHOUT_EFFECT,
            &further.place,
            message,
            "give it a file of its own, and name that with -c",
        );
    }
    directors.truncate(1);
    let mut fields = Vec::new();
    let mut console = None;
    if let Some(director) = mapper.only("Director", directors) {
        mapper.require(&director, &[("name", "Name"), ("address", "Address")]);
        console = of(mapper, &director, consoles);
        if console.is_none() {
            mapper.require(&director, &[("password", "Password")]);
        }
        fields.push(("director", director.node()));
    }
    if let Some(console) = console {
        mapper.require(&console, &[("name", "Name"), ("password", "Password")]);
        fields.push(("console", console.node()));
    }
    whole(fields)
}

/// The console for this director: the one that names it, else the one that names none.
fn of(mapper: &mut Mapper, director: &Mapped, consoles: Vec<Mapped>) -> Option<Mapped> {
    let named = |console: &Mapped| console.said("Director") == Some(director.name.as_str());
    let chosen = consoles.iter().position(named);
    let chosen = chosen.or_else(|| consoles.iter().position(|console| console.said("Director").is_none()));
    let mut found = None;
    for (index, console) in consoles.into_iter().enumerate() {
        if Some(index) == chosen {
            found = Some(console);
        } else {
            let message = format!("console {:?} is not used: it is not the first for this director", console.name);
            mapper.warning(codes::WITHOUT_EFFECT, &console.place, message, "");
        }
    }
    found
}
