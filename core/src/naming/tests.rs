use super::*;

fn expanded(text: &str) -> Result<String, Unnamed> {
    let mut counter = 7;
    Naming::parse(text).unwrap().expand(&mut |variable| {
        Some(match variable.name.as_str() {
            "Year" => "2026".to_owned(),
            "Month" => "3".to_owned(),
            "Pool" => "Full".to_owned(),
            "Empty" => String::new(),
            "Counter" => {
                counter += i32::from(variable.increments);
                (counter - i32::from(variable.increments)).to_string()
            }
            _ => return None,
        })
    })
}

#[test]
fn names_are_put_together_from_variables_and_what_is_done_with_them() {
    for (text, name) in [
        ("Full-", "Full-"),
        ("$Pool-$Year", "Full-2026"),
        ("${Pool}x${Month}", "Fullx3"),
        ("${Month:p/2/0/r}", "03"),
        ("${Month:p/4/ab/l}", "3aba"),
        ("${Month:p/4/ab/c}", "a3ab"),
        ("${Pool:p/2/0/r}", "Full"),
        ("${Pool:l}${Pool:u}${Pool:#}", "fullFULL4"),
        ("${Pool:L:u}", "FULL"),
        ("${Year:o2,0}", "26"),
        ("${Year:o2,}", "26"),
        ("${Year:o1,2}", "02"),
        ("${Year:o1-2}", "02"),
        ("${Empty:-none}${Pool:-none}", "noneFull"),
        ("${Empty:+some}${Pool:+some}", "some"),
        ("${Empty:*some}${Pool:*some}", "some"),
        ("${Empty:-${Pool:l}}", "full"),
        ("${Month:p/3/${Month}/r}", "333"),
        ("${Pool:s/l/L/}${Pool:s/l/L/g}", "FuLlFuLL"),
        (r"${Pool:s/^(.)(.*)$/\2-\1/}", "ull-F"),
        ("${Pool:s/f/x/}${Pool:s/f/x/i}", "Fullxull"),
        (r"${Year:s/2./a\/b/}${Year:s/./x/t}", "a/b262026"),
        ("${Year:s/x*/-/g}", "-2-0-2-6-"),
        ("${Pool:y/a-z/A-Z/}${Pool:y/lu/01/}", "FULLF100"),
        ("${Pool:s/ull//:l:+x}", "x"),
        ("${Counter+}-${Counter+:p/3/0/r}-$Counter", "7-008-9"),
        (r"\$Pool\\", r"$Pool\"),
    ] {
        assert_eq!(expanded(text).as_deref(), Ok(name), "{text}");
    }
    assert_eq!(expanded("a$Other"), Err(Unnamed::Unknown("Other".to_owned())));
    assert_eq!(expanded("${Month:o1-2}"), Err(Unnamed::Short("3".to_owned())));
}

#[test]
fn what_cannot_be_read_is_found_at_its_place() {
    for (text, at, why) in [
        ("a$", 2, Wrong::NoName),
        ("a$-b", 2, Wrong::NoName),
        ("${}", 2, Wrong::NoName),
        ("${Pool", 6, Wrong::Open),
        ("${Pool:l", 8, Wrong::Open),
        ("${Pool l}", 6, Wrong::Open),
        ("${Pool:x}", 7, Wrong::Operation),
        ("${Pool:s}", 8, Wrong::Replacing),
        ("${Pool:s/a/b}", 13, Wrong::Replacing),
        ("${Pool:s//b/}", 9, Wrong::Replacing),
        ("${Pool:s/a/$Year/}", 9, Wrong::Replacing),
        ("${Pool:s/a(/b/}", 9, Wrong::Expression),
        ("${Pool:s/a/b/x}", 13, Wrong::Open),
        ("${Pool:y/ab/c/}", 9, Wrong::Transposing),
        ("${Pool:y/b-a/cd/}", 9, Wrong::Transposing),
        ("${Pool:y/ab}", 12, Wrong::Transposing),
        ("${Pool:%inc}", 7, Wrong::Unsupported),
        ("${HOME[1]}", 6, Wrong::Brackets),
        ("a[b]", 1, Wrong::Brackets),
        ("${Pool:-}", 8, Wrong::Text),
        ("${Pool:o}", 8, Wrong::Number),
        ("${Pool:o1}", 9, Wrong::Range),
        ("${Pool:o3,1}", 11, Wrong::Backwards),
        ("${Pool:p2}", 8, Wrong::Padding),
        ("${Pool:p/2/0/x}", 13, Wrong::Padding),
        ("${Pool:p/200/0/r}", 12, Wrong::Padding),
        ("${Pool:p/2//r}", 11, Wrong::Text),
        (r"a\", 2, Wrong::Escape),
        ("${A:-${A:-${A:-${A:-${A:-x}}}}}", 23, Wrong::Deep),
    ] {
        assert_eq!(Naming::parse(text), Err(Unread { at, why }), "{text}");
    }
    assert_eq!(Naming::parse(&"$Year".repeat(300)).unwrap_err().why, Wrong::Long);
}

#[test]
fn variables_are_listed_in_the_order_they_are_asked_for() {
    let text = "$A${B+:-${C}:p/2/$D/r}${E}";
    let naming = Naming::parse(text).unwrap();
    let names: Vec<_> = naming.variables().iter().map(|variable| variable.name.clone()).collect();
    assert_eq!(names, ["A", "B", "C", "D", "E"]);
    let mut asked = Vec::new();
    naming
        .expand(&mut |variable| {
            asked.push(variable.name.clone());
            Some("x".to_owned())
        })
        .unwrap();
    assert_eq!(asked, names);
    assert!(naming.counts() && !Naming::parse("$A").unwrap().counts());
}
