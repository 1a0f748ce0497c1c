//! What is wrong with a text is shown with its file, line and a remedy.

use super::*;

#[test]
fn an_unknown_directive_names_the_nearest_and_hides_the_password() {
    golden(
        &report::<FileConfig>("Client { Name = a-fd }\nDirector { Name = d; Pasword = geheim; Password = \"x\" }")
            .render(false),
        r#"
error[T0865]: `Director` has no directive `Pasword`
 --> test.conf:2:22
  |
2 | Director { Name = d; Pasword = ***; Password = *** }
  |                      ^^^^^^^
  |
  = help: did you mean `Password`?
"#,
    );
    let elsewhere = report::<FileConfig>(&file("Address = 192.0.2.1\nAppend = \"/x\" = all"));
    assert_eq!(found(&elsewhere), [(codes::UNKNOWN_DIRECTIVE, 4, 1)]);
    assert_eq!(elsewhere.diagnostics[0].help, "it belongs into Messages");
    let newer = report::<FileConfig>(&file("Quantum Backup = yes"));
    assert!(newer.diagnostics[0].help.contains("newer version"), "{newer}");
}

#[test]
fn an_unknown_resource_names_the_nearest() {
    let report = report::<FileConfig>("Clinet { Name = x }\n Rocket { }\n");
    let told: Vec<_> = report.diagnostics.iter().filter(|found| found.code == codes::UNKNOWN_RESOURCE).collect();
    assert_eq!(told[0].help, "did you mean `Client`?");
    assert_eq!(told[1].help, "known: Client, Director, Messages");
}

#[test]
fn a_brace_that_nothing_closes_is_found_where_the_next_resource_begins() {
    golden(
        &report::<DirectorConfig>("Director {\n Name = d\n\nClient {\n Name = c\n}\n}\n").render(false)[..],
        r#"
error[T0806]: `Director` needs the directive `Password`
 --> test.conf:2:9
  |
2 |  Name = d
  |         ^
  |
  = help: add `Password = …`

error[T0860]: a resource `Client` begins here, and the one before it has not ended
 --> test.conf:4:1
  |
4 | Client {
  | ^^^^^^
  |
  = help: close the `Director` with `}` before it
"#,
    );
    golden(
        &report::<FileConfig>("Client {\n Name = d\n").render(false),
        r#"
error[T0860]: nothing closes this `{`
 --> test.conf:1:8
  |
1 | Client {
  |        ^
  |
  = help: add the `}`, after the last directive that belongs to it
"#,
    );
}

#[test]
fn a_quote_that_nothing_closes_is_marked() {
    let report = report::<FileConfig>("Client {\n Name = \"d\n}\n");
    assert_eq!(found(&report), [(codes::CONF_SYNTAX, 2, 9)]);
    assert!(report.diagnostics[0].help.contains("closing"), "{report}");
}

#[test]
fn a_unit_that_does_not_exist_is_marked_with_those_that_do() {
    golden(
        &report::<FileConfig>(&file("Heartbeat Interval = 5 parsecs")).render(false),
        r#"
error[T0808]: `5 parsecs` is not a time such as `30 seconds`, `5 minutes`, `2 hours`, `7 days`, `3 months` or `1 year`
 --> test.conf:3:22
  |
3 | Heartbeat Interval = 5 parsecs
  |                      ^^^^^^^^^
  |
  = help: write a time such as `30 seconds`, `5 minutes`, `2 hours`, `7 days`, `3 months` or `1 year`
"#,
    );
}

#[test]
fn the_plugin_that_there_is_can_be_used_where_there_is_a_folder_of_plugins() {
    for (text, names, warnings) in [
        ("PluginDirectory = /usr/lib/bareos/plugins", &["bpipe"][..], 0),
        ("PluginDirectory = /usr/lib/bareos/plugins\nPluginNames = \"python:bpipe\"", &["bpipe"], 1),
        ("PluginDirectory = /usr/lib/bareos/plugins\nPluginNames = python", &[], 1),
        ("PluginNames = bpipe", &[], 1),
        ("Port = 9102", &[], 0),
    ] {
        let (config, report) = good::<FileConfig>(&file(text));
        assert_eq!(
            (config.file.plugin_names.as_slice(), report.diagnostics.len()),
            (&*names.iter().map(ToString::to_string).collect::<Vec<_>>(), warnings),
            "{text}: {report}"
        );
    }
}

#[test]
fn a_directive_without_effect_is_one_warning_and_says_what_happens_instead() {
    let (_, report) = good::<FileConfig>(&file("AlwaysUseLmdb = no\nPki Signatures = no\nVer_Id = \"x\""));
    golden(
        &report.render(false),
        r#"
warning[T0866]: `AlwaysUseLmdb` has no effect: the list of an accurate job is kept in memory
 --> test.conf:3:1
  |
3 | AlwaysUseLmdb = no
  | ^^^^^^^^^^^^^

warning[T0866]: `VerId` has no effect: the version is that of the program
 --> test.conf:5:1
  |
5 | Ver_Id = "x"
  | ^^^^^^
"#,
    );
}

#[test]
fn what_would_lose_data_or_let_somebody_in_is_refused() {
    for (more, remedy) in [
        ("Pki Encryption = yes", "unencrypted"),
        ("TlsCaCertificateDir = /etc/ssl", "TlsCaCertificateFile"),
        ("TlsAuthenticate = yes", "clear text"),
    ] {
        let report = report::<FileConfig>(&file(more));
        assert_eq!(found(&report), [(codes::REFUSED_DIRECTIVE, 3, 1)], "{more}");
        assert!(report.diagnostics[0].help.contains(remedy), "{report}");
    }
}

#[test]
fn a_directive_that_comes_twice_is_warned_of_and_the_last_counts() {
    let (config, report) = good::<FileConfig>(&file("Port = 1\nFdPort = 2"));
    assert_eq!(config.file.port, 2);
    assert_eq!(found(&report), [(codes::WITHOUT_EFFECT, 4, 1)]);
}

#[test]
fn what_is_missing_is_said_with_the_name_of_its_directive() {
    let report = report::<FileConfig>("Director { Name = d }");
    let messages: Vec<_> = report.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(messages, ["there is no resource `Client`", "`Director` needs the directive `Password`"]);
}

#[test]
fn the_checks_of_the_typed_model_point_into_the_text() {
    let text = director("Run On Incoming Connect Interval = 1 day\nPriority = 0").replace("Pool = Inc;", "Pool = Icn;");
    let report = report::<DirectorConfig>(&text);
    let expected = [(codes::UNKNOWN_REFERENCE, 11, 78), (codes::CONTRADICTION, 12, 36), (codes::ZERO, 13, 12)];
    assert_eq!(found(&report), expected, "{report}");
    assert_eq!(report.diagnostics[0].help, "did you mean \"Inc\"?");
}

#[test]
fn names_that_lead_nowhere_are_answered_with_the_nearest() {
    for (wrong, help) in [
        ("JobDefs = Standrad", "add a `JobDefs` of this name"),
        ("Messages = Standrad", "did you mean \"Standard\"?"),
        ("Catalog = Elsewhere", "known: \"My\""),
    ] {
        let report = report::<DirectorConfig>(&director(wrong));
        let told = report.diagnostics.iter().find(|found| found.code == codes::UNKNOWN_REFERENCE);
        assert_eq!(told.map(|told| told.help.as_str()), Some(help), "{report}");
    }
}
