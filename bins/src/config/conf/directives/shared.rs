//! Directives that several programs have alike.

use super::super::read::Kind::{Any, Bool, Number, Port, Text, Words};
use super::super::table::{Act, Directive, always, field, made, note, refused, tls, without};

/// Of every resource that has a name.
pub(in super::super) const NAMED: &[Directive] =
    &[field("Name", Text, "name"), field("Description", Text, "description")];

/// Of those that become something else than a resource of that name.
pub(in super::super) const NOTED: &[Directive] = &[field("Name", Text, "name"), note("Description")];

/// Of every end of a connection (`wire/1 §2.8`).
pub(in super::super) const TLS: &[Directive] = &[
    tls("TlsEnable", Bool, "enable"),
    always(
        "TlsRequire",
        Bool,
        &["yes", "true"],
        &Act::Without("with TLS on, a connection in clear text is refused in any case"),
    ),
    tls("TlsCertificate", Text, "certificate"),
    tls("TlsKey", Text, "key"),
    tls("TlsCaCertificateFile", Text, "ca"),
    tls("TlsVerifyPeer", Bool, "verify_peer"),
    tls("TlsAllowedCn", Words, "allowed_cn"),
    refused("TlsCaCertificateDir", Text, "put the authorities into one file and name it with `TlsCaCertificateFile`"),
    tls("TlsCertificateRevocationList", Text, "revocation_list"),
    always(
        "TlsAuthenticate",
        Bool,
        &["no", "false"],
        &Act::Refused("the connection would go on in clear text once TLS has authenticated it; remove this"),
    ),
    tls("TlsCipherList", Text, "cipher_list"),
    tls("TlsCipherSuites", Text, "cipher_suites"),
    without(
        "TlsDhFile",
        Text,
        "keys are exchanged over elliptic curves, and TLS 1.3 has groups of its own: no parameters from a file are used",
    ),
    tls("TlsProtocol", Text, "protocol"),
];

/// What every daemon has, beside where it listens.
pub(in super::super) const DAEMON: &[Directive] = &[
    made("Messages", Text, "is `messages`: the `Messages` resource that counts; without it the first"),
    field("WorkingDirectory", Text, "working_directory"),
    without("ScriptsDirectory", Text, "scripts are named by their whole path"),
    without("VerId", Text, "the version is that of the program"),
    without("AbsoluteJobTimeout", Number, "a job may take as long as it takes"),
    without("LogTimestampFormat", Text, "times have one format everywhere"),
    without("EnableKtls", Bool, "TLS is done in the program"),
];

/// What a daemon without plugins has.
pub(in super::super) const NO_PLUGINS: &[Directive] =
    &[without("PluginDirectory", Text, "there are no plugins"), without("PluginNames", Any, "there are no plugins")];

/// Where a daemon listens, and where it dials from.
pub(in super::super) const LISTEN: &[Directive] = &[
    field("Port", Port, "port").or(&["DirPort", "FdPort", "SdPort"]),
    made("Address", Text, "is one entry of `listen`").or(&["DirAddress", "FdAddress", "SdAddress"]),
    made("Addresses", Any, "each of its blocks is an entry of `listen`").or(&[
        "DirAddresses",
        "FdAddresses",
        "SdAddresses",
    ]),
    field("SourceAddress", Text, "source_address").or(&["DirSourceAddress", "FdSourceAddress", "SdSourceAddress"]),
];

const OF_DIRECTOR: &str = "messages of jobs go to their director, and from there to where its `Messages` says";

const MAILED: &str = "is a destination of the kind `mail`: what a job has said here, at its end, and what is wrong with the daemon itself";

/// Where messages of a file or storage daemon go, and where they do not go by themselves.
pub(in super::super) const ELSEWHERE: &[Directive] = &[
    without(
        "TimestampFormat",
        Text,
        "the director dates messages of jobs, and times of what the daemon sends itself have one format",
    ),
    made("MailCommand", Any, "is `command` of the destinations `Mail`, `MailOnError` and `MailOnSuccess` after it"),
    made("OperatorCommand", Any, "is `command` of the destinations `Operator` after it"),
    made("Syslog", Any, "is a destination of the kind `syslog`: what the daemon itself has to say"),
    made("Append", Any, "is a destination of the kind `append`: what the daemon itself has to say"),
    made("Mail", Any, MAILED),
    made(
        "MailOnError",
        Any,
        "is a destination of the kind `mail`, `when` `on_error`: of jobs that end badly, and what is wrong with the daemon itself",
    ),
    made("MailOnSuccess", Any, "is a destination of the kind `mail`, `when` `on_success`: of jobs that end well"),
    without("File", Any, OF_DIRECTOR),
    made("Stdout", Any, "is a destination of the kind `stdout`: what the daemon itself has to say"),
    made("Stderr", Any, "is a destination of the kind `stderr`: what the daemon itself has to say, beside its log"),
    made(
        "Operator",
        Any,
        "is a destination of the kind `operator`: a mail for each warning and error of the daemon itself",
    ),
    without("Console", Any, OF_DIRECTOR),
    without("Catalog", Any, OF_DIRECTOR),
    made("Director", Any, "is a destination of the kind `director`: the messages of a job that its director is told"),
];
