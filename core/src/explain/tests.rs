//! The table is complete, and no two pages say the same.

mod advice;

use std::collections::{BTreeMap, BTreeSet};

use super::{Page, all, complaint, page};
use crate::catalog::levels::WrongClock;
use crate::catalog::restore_selection::SelectionError;
use crate::error::{Code, Explain, NoOffer};
use crate::explain::codes;
use crate::{bulk, catalog, conn, node, notice, role, tls};

/// One of every error that can explain itself.
fn every_error() -> Vec<Box<dyn Explain>> {
    fn boxed<E: Explain + 'static>(errors: Vec<E>) -> impl Iterator<Item = Box<dyn Explain>> {
        errors.into_iter().map(|error| Box::new(error) as Box<dyn Explain>)
    }
    let selections = vec![
        SelectionError::NoFull,
        SelectionError::SeveralFileSets(Vec::new()),
        SelectionError::VolumeDisabled { volume: String::new(), job_id: 1 },
        SelectionError::NoVolume { job_id: 1 },
    ];
    boxed(conn::one_of_each_dial_failure())
        .chain(boxed(node::one_of_each_bind_error()))
        .chain(boxed(role::director::one_of_each_reach_failure()))
        .chain(boxed(role::director::one_of_each_undialled()))
        .chain(boxed(role::director::one_of_each_refusal()))
        .chain(boxed(role::director::one_of_each_trouble()))
        .chain(boxed(vec![role::director::Unwritten { path: "/x".to_owned(), why: "x".to_owned() }]))
        .chain(boxed(role::trouble::one_of_each()))
        .chain(boxed(role::commands::one_of_each_failure()))
        .chain(boxed(vec![NoOffer]))
        .chain(boxed(tls::one_of_each_error()))
        .chain(boxed(conn::one_of_each_reason()))
        .chain(boxed(conn::one_of_each_stall()))
        .chain(boxed(bulk::one_of_each_outcome()))
        .chain(boxed(bulk::one_of_each_disk_error()))
        .chain(boxed(bulk::one_of_each_refused()))
        .chain(boxed(catalog::one_of_each()))
        .chain(boxed(selections))
        .chain(boxed(crate::work::delivery::one_of_each()))
        .chain(boxed(role::director::one_of_each_disagreement()))
        .chain(boxed(role::director::one_of_each_overdue()))
        .chain(boxed(role::director::one_of_each_duplicate()))
        .chain(boxed(vec![WrongClock { job_id: 1, claimed: 0, sound: None }]))
        .chain(boxed(notice::one_of_each_tray_failure()))
        .collect()
}

/// Codes that are given to a line of the log without an error value.
const BY_THEMSELVES: &[u16] = &[
    110, 121, 126, 130, 140, 141, 142, 144, 145, 146, 147, 148, 149, 313, 318, 509, 530, 541, 542, 550, 551, 552, 610,
    611, 621, 622, 625, 626, 627, 628, 629, 630, 631, 632, 633, 634, 635, 636, 637, 638, 639, 640, 641, 642, 650, 651,
    720, 721, 723, 730, 757, 759, 776, 777, 901, 902, 903, 905, 908, 909, 910, 911, 912, 913, 914, 915, 916, 917, 918,
    919, 920, 921, 922, 923, 945, 946, 950, 951, 961, 962, 991, 992, 993, 997,
];

#[test]
fn every_error_has_a_page_and_no_two_share_a_code_a_message_or_advice() {
    let errors = every_error();
    let distinct = |of: &dyn Fn(&dyn Explain) -> String| errors.iter().map(|e| of(&**e)).collect::<BTreeSet<_>>().len();
    let missing: Vec<Code> = errors.iter().map(|error| error.code()).filter(|&code| page(code).is_none()).collect();
    assert_eq!(missing, [], "codes without a page");
    assert_eq!(distinct(&|error| error.code().to_string()), errors.len());
    assert_eq!(distinct(&|error| error.to_string()), errors.len());
    let mut advice: BTreeMap<&str, Vec<Code>> = BTreeMap::new();
    for error in &errors {
        advice.entry(error.help()).or_default().push(error.code());
    }
    advice.retain(|_, codes| codes.len() > 1);
    assert_eq!(advice, BTreeMap::new(), "advice that is given twice");
}

#[test]
fn a_page_says_of_fault_and_retry_what_the_error_says() {
    for error in every_error() {
        let page = page(error.code()).unwrap();
        assert_eq!((page.fault, page.retry), (error.fault(), error.retry()), "{}", page.code);
    }
}

#[test]
fn every_finding_about_a_configuration_has_a_page() {
    for (code, _) in codes::ALL {
        assert!(page(*code).is_some(), "{code}");
    }
}

#[test]
fn every_page_can_be_reached() {
    let mut given: BTreeSet<Code> = every_error().iter().map(|error| error.code()).collect();
    given.extend(codes::ALL.iter().map(|(code, _)| *code));
    given.extend(BY_THEMSELVES.iter().map(|&number| Code(number)));
    let idle: Vec<Code> = all().map(|page| page.code).filter(|code| !given.contains(code)).collect();
    assert_eq!(idle, [], "pages of codes that nothing gives");
}

#[test]
fn pages_are_in_order_and_no_two_say_the_same() {
    let pages: Vec<_> = all().collect();
    assert!(pages.is_sorted_by(|one, two| one.code < two.code));
    let texts: [fn(&Page) -> &'static str; 3] = [|page| page.title, |page| page.meaning, |page| page.remedy];
    for text in texts {
        assert_eq!(pages.iter().map(|page| text(page)).collect::<BTreeSet<_>>().len(), pages.len());
    }
    assert_eq!(page(Code(100)), None);
}

#[test]
fn titles_are_headlines_and_the_rest_are_sentences() {
    for page in all() {
        assert!(!page.title.ends_with('.') && page.title.len() < 80, "{}", page.code);
        assert!(page.title.starts_with(|c: char| c.is_lowercase() || c == 'T' || c == '0'), "{}", page.code);
        for text in [page.meaning, page.remedy] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", page.code);
        }
    }
}

#[test]
fn a_complaint_is_one_line_whatever_it_quotes() {
    let line = complaint(Code(917), "the server says \u{1b}[2J\n2000 OK \u{202e}");
    assert!(line.contains(r"the server says \x1b[2J\x0a2000 OK \xe2\x80\xae") && !line.contains('\n'), "{line}");
}

#[test]
fn a_page_reads_well() {
    let text = page(Code(203)).unwrap().to_string();
    assert!(text.starts_with("T0203: the peer has no key for the name we offered\nWhere to look: the configuration. "));
    assert!(text.contains("\n\nWhat to do: Add a resource"));
}
