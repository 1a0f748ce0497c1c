//! All that is in the grid, each thing once.

use super::{Case, Given, Heartbeat, Mode, Place, Row, View, Who};

/// All ways to place three daemons, alone or in a LAN with others.
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for director in Place::ALL {
        for client in Place::ALL {
            for storage in Place::ALL {
                let places = [director, client, storage];
                let groups = [[0, 1, 2], [0, 1, 1], [0, 1, 0], [0, 0, 2], [0, 0, 0]];
                rows.extend(groups.map(|lans| Row { places, lans }).into_iter().filter(is_possible));
            }
        }
    }
    rows
}

/// Every point of the grid. What would be the same network twice is there once: names have an inner view only where an
/// address is translated, and a split one only where such a daemon has a neighbour.
pub fn grid() -> impl Iterator<Item = Case> {
    rows().into_iter().flat_map(|row| {
        Mode::ALL.into_iter().flat_map(move |mode| {
            Given::ALL.into_iter().flat_map(move |lan_address| {
                Given::ALL.into_iter().flat_map(move |networks| {
                    row.views().into_iter().flat_map(move |view| {
                        [Heartbeat::Below, Heartbeat::At, Heartbeat::Above].map(|heartbeat| Case {
                            row,
                            mode,
                            lan_address,
                            networks,
                            view,
                            heartbeat,
                            loose: false,
                        })
                    })
                })
            })
        })
    })
}

impl Row {
    /// The views of names that are different here.
    #[must_use]
    pub fn views(&self) -> Vec<View> {
        let is_translated = |who: &Who| self.place(*who).is_translated();
        let has_neighbour = |who: &Who| Who::ALL.into_iter().any(|other| other != *who && self.together(*who, other));
        let mut views = vec![View::Public];
        if Who::ALL.iter().any(|who| is_translated(who) && has_neighbour(who)) {
            views.push(View::Split);
        }
        if Who::ALL.iter().any(is_translated) {
            views.push(View::Inner);
        }
        views
    }
}

/// Whether those in one LAN can be: the boxes must be of one kind. A box that masquerades forwards to those who ask for it.
fn is_possible(row: &Row) -> bool {
    let kind = |place| match place {
        Place::Forwarded => Place::Home,
        other => other,
    };
    let pairs = [(Who::Director, Who::Client), (Who::Director, Who::Storage), (Who::Client, Who::Storage)];
    pairs.into_iter().filter(|(one, other)| row.together(*one, *other)).all(|(one, other)| {
        let (one, other) = (row.place(one), row.place(other));
        one != Place::Open && kind(one) == kind(other)
    })
}
