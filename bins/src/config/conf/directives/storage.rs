//! `bareos-sd`: the storage daemon.

use super::super::build;
use super::super::read::Kind::{Any, Bool, Number, Size, Speed, Text, Time, Words};
use super::super::table::{Act, Component, Directive, Resource, always, field, made, note, refused, without};
use super::shared::{DAEMON, ELSEWHERE, LISTEN, NAMED, NO_PLUGINS, NOTED, TLS};

pub(in super::super) const COMPONENT: Component = Component {
    name: "bareos-sd",
    ron: "storage-daemon.ron",
    file: "bareos-sd.conf",
    tree: "bareos-sd.d",
    build: build::storage::build,
    resources: &[
        Resource { name: "Storage", also: &["Storages"], rows: &[NAMED, LISTEN, DAEMON, NO_PLUGINS, STORAGE, TLS] },
        Resource { name: "Director", also: &["Directors"], rows: &[NAMED, DIRECTOR, TLS] },
        Resource { name: "Device", also: &["Devices"], rows: &[NAMED, DEVICE] },
        Resource { name: "Autochanger", also: &["Autochangers"], rows: &[NAMED, AUTOCHANGER] },
        Resource { name: "Ndmp", also: &[], rows: &[NOTED, NDMP] },
        Resource { name: "Messages", also: &[], rows: &[NAMED, ELSEWHERE] },
    ],
};

const NO_NDMP: &str = "NDMP is not spoken";
const STATISTICS: &str = "no statistics are collected";
const TAPE: &str = "devices are folders, and this is for tapes";

const STORAGE: &[Directive] = &[
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    field("SdConnectTimeout", Time, "sd_connect_timeout"),
    field("FdConnectTimeout", Time, "fd_connect_timeout"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
    field("ClientConnectWait", Time, "client_connect_wait"),
    field("MaximumBandwidthPerJob", Speed, "maximum_bandwidth_per_job"),
    without("BackendDirectory", Words, "devices are folders, which need nothing else"),
    without("JustInTimeReservation", Bool, "a device is reserved when the job begins"),
    field("CheckpointInterval", Time, "checkpoint_interval"),
    field("SecureEraseCommand", Text, "secure_erase_command"),
    without("MaximumNetworkBufferSize", Number, "buffers have one size"),
    without("AllowBandwidthBursting", Bool, "what a job has not used is not saved up"),
    always("NdmpEnable", Bool, &["no"], &Act::Without(NO_NDMP)),
    without("NdmpSnooping", Bool, NO_NDMP),
    without("NdmpLogLevel", Number, NO_NDMP),
    without("NdmpAddress", Text, NO_NDMP),
    without("NdmpAddresses", Any, NO_NDMP),
    without("NdmpPort", Number, NO_NDMP),
    without("AutoXFlateOnReplication", Bool, "volumes hold what the clients send"),
    without("CollectDeviceStatistics", Bool, STATISTICS),
    without("CollectJobStatistics", Bool, STATISTICS),
    without("StatisticsCollectInterval", Number, STATISTICS),
    without("DeviceReserveByMediaType", Bool, "a job uses the device that its storage names"),
    without("FileDeviceConcurrentRead", Bool, "one job at a time uses a volume"),
];

const DIRECTOR: &[Directive] = &[
    field("Password", Text, "password"),
    field("Monitor", Bool, "monitor"),
    field("MaximumBandwidthPerJob", Speed, "maximum_bandwidth_per_job"),
    refused("KeyEncryptionKey", Text, "volumes would be written unencrypted; remove it if that is right"),
];

const DEVICE: &[Directive] = &[
    field("MediaType", Text, "media_type"),
    field("ArchiveDevice", Text, "archive_device"),
    field("LabelMedia", Bool, "label_media"),
    field("MaximumBlockSize", Size, "maximum_block_size"),
    field("MaximumFileSize", Size, "maximum_file_size"),
    made(
        "DeviceType",
        Text,
        "is `kind`: `File` is a folder; `Object`, `droplet` and `dplcompat` are a store of objects",
    ),
    field("Count", Number, "count"),
    field("MaximumConcurrentJobs", Number, "maximum_concurrent_jobs"),
    field("AutoSelect", Bool, "auto_select"),
    made(
        "DeviceOptions",
        Text,
        "is `object`: `bucket`, `endpoint`, `region` (or `location`), `credentials` (or `profile`, `s3cfg`), `part_size` (or \
         `chunksize`), `retry_for`, `tls_ca`, `virtual_hosts`, `clear_text`; other options of a store are refused",
    ),
    without("DiagnosticDevice", Text, TAPE),
    without("HardwareEndOfFile", Bool, TAPE),
    without("HardwareEndOfMedium", Bool, TAPE),
    without("BackwardSpaceRecord", Bool, TAPE),
    without("BackwardSpaceFile", Bool, TAPE),
    without("BsfAtEom", Bool, TAPE),
    without("TwoEof", Bool, TAPE),
    without("ForwardSpaceRecord", Bool, TAPE),
    without("ForwardSpaceFile", Bool, TAPE),
    without("FastForwardSpaceFile", Bool, TAPE),
    without("BlockPositioning", Bool, TAPE),
    without("UseMtiocget", Bool, TAPE),
    without("CloseOnPoll", Bool, TAPE),
    without("OfflineOnUnmount", Bool, TAPE),
    without("NoRewindOnClose", Bool, TAPE),
    without("MaximumRewindWait", Time, TAPE),
    without("VolumePollInterval", Time, TAPE),
    without("DriveIndex", Number, TAPE),
    without("DriveTapeAlertEnabled", Bool, TAPE),
    without("AlertCommand", Text, TAPE),
    without("EofOnErrorIsEot", Bool, TAPE),
    without("LabelType", Text, "labels are those of Bareos"),
    always("RemovableMedia", Bool, &["no"], &Act::Without("a device is a folder, which nobody takes away")),
    always("RandomAccess", Bool, &["yes"], &Act::Without("a device is a folder")),
    always("AutomaticMount", Bool, &["yes"], &Act::Without("a volume in the folder needs nobody to mount it")),
    always("AlwaysOpen", Bool, &["no"], &Act::Without("a volume is open while a job uses it")),
    always("Autochanger", Bool, &["no"], &Act::Without("a folder needs no changer")),
    always("RequiresMount", Bool, &["no"], &Act::Refused("the folder is not mounted for a job; mount it beforehand")),
    without("MountPoint", Text, "mount the folder before the daemon starts"),
    without("MountCommand", Text, "mount the folder before the daemon starts"),
    without("UnmountCommand", Text, "mount the folder before the daemon starts"),
    always("CheckLabels", Bool, &["no"], &Act::Without("a volume with a foreign label is never written to")),
    always("BlockChecksum", Bool, &["yes"], &Act::Without("blocks always have a checksum")),
    always(
        "AccessMode",
        Text,
        &["readwrite"],
        &Act::Refused("jobs would read and write the device; take the rights to the folder away instead"),
    ),
    without("ChangerDevice", Text, "a folder needs no changer"),
    without("ChangerCommand", Text, "a folder needs no changer"),
    without("MaximumChangerWait", Time, "a folder needs no changer"),
    without("MaximumOpenWait", Time, "a folder is there or is not"),
    without("MaximumOpenVolumes", Number, "a device has one volume open"),
    without("MaximumNetworkBufferSize", Number, "buffers have one size"),
    without("LabelBlockSize", Number, "the label's block has the size that every version reads"),
    without("MinimumBlockSize", Size, "blocks are as long as their data"),
    made("VolumeCapacity", Size, "is `maximum_volume_size`").or(&["MaximumVolumeSize"]),
    field("SpoolDirectory", Text, "spool_directory"),
    field("MaximumSpoolSize", Size, "maximum_spool_size"),
    field("MaximumJobSpoolSize", Size, "maximum_job_spool_size"),
    always("DriveCryptoEnabled", Bool, &["no"], &Act::Refused("volumes would be written unencrypted")),
    without("QueryCryptoStatus", Bool, TAPE),
    without("AutoDeflate", Text, "volumes hold what the clients send"),
    without("AutoDeflateAlgorithm", Text, "volumes hold what the clients send"),
    without("AutoDeflateLevel", Number, "volumes hold what the clients send"),
    without("AutoInflate", Text, "clients get what the volumes hold"),
    without("CollectStatistics", Bool, STATISTICS),
];

const AUTOCHANGER: &[Directive] = &[field("Device", Words, "devices"), note("ChangerDevice"), note("ChangerCommand")];

const NDMP: &[Directive] = &[
    without("Username", Text, NO_NDMP),
    without("Password", Text, NO_NDMP),
    without("AuthType", Text, NO_NDMP),
    without("LogLevel", Number, NO_NDMP),
];
