//! Lines of the command line: said one after the other, and their answers printed as they come.

use std::borrow::Cow;

use super::super::say;
use super::link::{Ended, Link};
use super::order::Order;

/// Says each line, and the second half of a `run … wait`. What the director greets with is not printed.
pub(super) fn carry_out(link: &mut Link, lines: &[String]) {
    // However it ends, the node has its own way to say why.
    if say_all(link, lines).is_ok() {
        link.leave();
    }
}

fn say_all(link: &mut Link, lines: &[String]) -> Result<(), Ended> {
    link.hear(|_| {})?;
    let mut order = Order::default();
    let mut asks = false;
    for line in lines.iter().flat_map(|text| text.lines()) {
        let said = if asks {
            Cow::Borrowed(line)
        } else {
            let (new, said) = Order::of(line);
            order = new;
            said
        };
        asks = say_one(link, &said, &mut order)?;
        if !asks && let Some(id) = order.started() {
            asks = say_one(link, &format!("wait jobid={id}"), &mut order)?;
        }
    }
    Ok(())
}

fn say_one(link: &mut Link, line: &str, order: &mut Order) -> Result<bool, Ended> {
    link.type_line(line)?;
    link.hear(|text| {
        say(text);
        order.hear(text);
    })
}
