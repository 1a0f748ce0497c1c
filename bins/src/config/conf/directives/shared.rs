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
    made("Messages", Text, "names a `Messages` resource, which must be there; all of them count alike"),
    field("WorkingDirectory", Text, "working_directory"),
    without("ScriptsDirectory", Text, "scripts are named by their whole path"),
    without("VerId", Text, "the version is that of the program"),
    without("AbsoluteJobTimeout", Number, "a job may take as long as it takes"),
    without("SecureEraseCommand", Text, "files are deleted by the system"),
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

const FILTERS: &str = "messages of jobs go to the catalog and to consoles, those of the daemon to its log";

/// Where messages go.
pub(in super::super) const MESSAGES: &[Directive] = &[
    without("MailCommand", Text, "no mail is sent"),
    without("OperatorCommand", Text, "no mail is sent"),
    without("TimestampFormat", Text, "times have one format everywhere"),
    without("Syslog", Any, FILTERS),
    without("Mail", Any, "no mail is sent"),
    without("MailOnError", Any, "no mail is sent"),
    without("MailOnSuccess", Any, "no mail is sent"),
    without("File", Any, FILTERS),
    without("Stdout", Any, FILTERS),
    without("Stderr", Any, FILTERS),
    without("Operator", Any, "no mail is sent"),
];
