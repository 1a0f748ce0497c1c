//! `Messages` of Bareos: destinations with and without addresses, commands before them, and what is wrong with them.

use towline_core::config::{DestinationKind, MessageTypes, When};
use towline_core::wire::message::MessageKind;

use super::*;

fn with(messages: &str) -> String {
    director("").replace("Messages { Name = Standard }", &format!("Messages {{ Name = Standard\n{messages}\n}}"))
}

#[test]
fn each_destination_has_its_addresses_its_kinds_and_the_command_before_it() {
    let text = with(
        "Mail Command = \"/usr/bin/bsmtp -h localhost -s \\\"Bareos: %t %e\\\" %r\"
         Operator Command = /usr/bin/page
         mail = root@localhost, admin@x = all, !skipped, !Saved
         MailCommand = /other
         mail on error = \"a@x,b@x\" = fatal, error
         Operator = root = mount
         append = \"/var/log/a b.log\" = all, !skipped
         Append = \"/var/log/a b.log\" = !info
         File = /last = warning
         Syslog = all, !debug
         syslog = local3 = security
         console = all, !skipped; Catalog = all; stdout = terminate
         stderr = abort
         TimestampFormat = \"%F %T\"",
    );
    let (config, _) = good::<DirectorConfig>(&text);
    let [messages] = &config.messages[..] else { panic!("{:?}", config.messages) };
    assert_eq!(messages.timestamp_format, "%F %T");
    let shown = |kind: DestinationKind| {
        let all = messages.destinations.iter().filter(|to| to.kind == kind);
        all.map(|to| {
            format!("{}|{}|{}", to.to.join(" "), to.types.words().join(","), to.command.as_deref().unwrap_or("-"))
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(
        shown(DestinationKind::Mail),
        [
            "root@localhost admin@x|all,!saved,!skipped|/usr/bin/bsmtp -h localhost -s \"Bareos: %t %e\" %r",
            "a@x b@x|fatal,error|/other"
        ]
    );
    assert_eq!(messages.destinations[1].when, When::OnError);
    assert_eq!(shown(DestinationKind::Operator), ["root|mount|/usr/bin/page"]);
    assert_eq!(shown(DestinationKind::Append), ["/var/log/a b.log|all,!info,!skipped|-"], "two lines for one place");
    assert_eq!(shown(DestinationKind::Syslog), ["|all,!debug|-", "local3|security|-"]);
    assert!(messages.types_for(DestinationKind::Stdout).has(MessageKind::Term));
    assert_eq!(messages.types_for(DestinationKind::Catalog), MessageTypes::ALL);
}

#[test]
fn what_is_no_destination_is_told_with_how_to_write_it() {
    for (wrong, message, help) in [
        (
            "Mail = all, !skipped",
            "`Mail` has an address and kinds of messages",
            "write `Mail = root@localhost = all, !skipped`",
        ),
        ("Append = all", "`Append` has an address", "write `Append = \"/var/log/towline/jobs.log\" = all, !skipped`"),
        ("Console = me = all", "`Console` has no address", "write `Console = all, !skipped`"),
        ("Console = all, !skiped", "`!skiped` is no kind of message", "did you mean `skipped`?"),
        ("Catalog = !all", "`!all` is no kind of message", "write the kinds that are wanted, without `all`"),
    ] {
        let report = report::<DirectorConfig>(&with(wrong));
        let told = report.diagnostics.iter().find(|found| found.message.contains(message));
        assert_eq!(told.map(|told| (told.help.as_str(), told.line)), Some((help, 8)), "{wrong}: {report}");
    }
}

#[test]
fn a_name_that_counts_anyway_is_left_out_and_any_other_is_kept() {
    let more = "Messages { Name = Other; Console = all }";
    let text = with("Console = all").replace("Run = Full sat", "Run = Full Messages=Other sat") + more;
    let (config, _) = good::<DirectorConfig>(&text);
    assert_eq!((config.jobs[0].messages.as_deref(), config.director.messages.as_deref()), (None, None));
    assert_eq!(config.schedules[0].runs[0].messages.as_deref(), Some("Other"));
    let text = text.replace("Password = geheim }", "Password = geheim; Messages = Other }");
    let (config, _) = good::<DirectorConfig>(&text);
    assert_eq!(config.jobs[0].messages.as_deref(), Some("Standard"));
    assert_eq!(config.director.messages.as_deref(), Some("Other"));
    let (usual, _) = good::<DirectorConfig>(&with("Console = all; Catalog = all"));
    assert!(usual.messages.is_empty(), "it says what is so anyway");
}
