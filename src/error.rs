//! The one error type of the seams: libvirt's code numbers, its origin, and a message ready to show.
//!
//! Drivers, the wire and the helper speak [`Error`]; commands add context to it with `anyhow`; only
//! `shell::report` prints it. The message already carries libvirt's prefix for its code, because scripts match
//! on it (`Domain not found: …`), and because it travels over the wire as one string.

use std::fmt;

/// What every fallible operation of a driver returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The number that names the kind of an error on the wire (`virErrorNumber`).
///
/// A plain number rather than an enum: a newer peer may send codes that this release does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ErrorCode(pub i32);

/// The part of the system an error comes from (`virErrorDomain`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ErrorOrigin(pub i32);

macro_rules! codes {
    ($($name:ident = $number:literal, $prefix:literal;)*) => {
        #[allow(missing_docs)] // the prefix beside each number is its meaning
        impl ErrorCode {
            $(pub const $name: ErrorCode = ErrorCode($number);)*

            /// The words libvirt puts before the detail of an error of this kind; empty when it puts none.
            pub fn prefix(self) -> &'static str {
                match self.0 { $($number => $prefix,)* _ => "" }
            }
        }
    };
}

codes! {
    INTERNAL = 1, "internal error";
    NO_MEMORY = 2, "out of memory";
    NO_SUPPORT = 3, "this function is not supported by the connection driver";
    NO_CONNECT = 5, "no connection driver available for";
    INVALID_CONNECTION = 6, "invalid connection pointer in";
    INVALID_DOMAIN = 7, "invalid domain pointer in";
    INVALID_ARGUMENT = 8, "invalid argument";
    OPERATION_FAILED = 9, "operation failed";
    NO_XEN = 14, "could not use Xen hypervisor entry";
    OS_TYPE = 16, "unknown OS type";
    NO_KERNEL = 17, "missing kernel information";
    NO_SOURCE = 19, "missing source information for device";
    NO_TARGET = 20, "missing target information for device";
    NO_NAME = 21, "missing name information";
    CALL_FAILED = 26, "library call failed";
    XML = 27, "XML error";
    DOMAIN_EXISTS = 28, "this domain exists already";
    OPERATION_DENIED = 29, "operation forbidden";
    OPEN_FAILED = 30, "failed to open file";
    READ_FAILED = 31, "failed to read file";
    CONFIG_SYNTAX = 33, "configuration file syntax error";
    WRITE_FAILED = 34, "failed to write file";
    XML_DETAIL = 35, "";
    NETWORK_EXISTS = 37, "this network exists already";
    SYSTEM = 38, "";
    RPC = 39, "RPC error";
    NO_DOMAIN = 42, "Domain not found";
    NO_NETWORK = 43, "Network not found";
    INVALID_MAC = 44, "invalid MAC address";
    AUTH_FAILED = 45, "authentication failed";
    NO_STORAGE_POOL = 49, "Storage pool not found";
    NO_STORAGE_VOLUME = 50, "Storage volume not found";
    NO_NODE_DEVICE = 53, "Node device not found";
    OPERATION_INVALID = 55, "Requested operation is not valid";
    NO_INTERFACE = 57, "Interface not found";
    MULTIPLE_INTERFACES = 59, "multiple matching interfaces found";
    NO_FILTER = 62, "Network filter not found";
    NO_SECRET = 66, "Secret not found";
    CONFIG_UNSUPPORTED = 67, "unsupported configuration";
    OPERATION_TIMEOUT = 68, "Timed out during operation";
    INVALID_SNAPSHOT = 71, "Invalid snapshot";
    NO_SNAPSHOT = 72, "Domain snapshot not found";
    INVALID_STREAM = 73, "invalid stream pointer";
    ARGUMENT_UNSUPPORTED = 74, "argument unsupported";
    STORAGE_PROBE_FAILED = 75, "Storage pool probe failed";
    STORAGE_POOL_BUILT = 76, "Storage pool already built";
    SNAPSHOT_REVERT_RISKY = 77, "revert requires force";
    OPERATION_ABORTED = 78, "operation aborted";
    AUTH_CANCELLED = 79, "authentication cancelled";
    NO_DOMAIN_METADATA = 80, "metadata not found";
    MIGRATE_UNSAFE = 81, "Unsafe migration";
    OVERFLOW = 82, "numerical overflow";
    BLOCK_COPY_ACTIVE = 83, "block copy still active";
    OPERATION_UNSUPPORTED = 84, "Operation not supported";
    AGENT_UNRESPONSIVE = 86, "Guest agent is not responding";
    RESOURCE_BUSY = 87, "resource busy";
    ACCESS_DENIED = 88, "access denied";
    STORAGE_VOLUME_EXISTS = 90, "storage volume exists already";
    CPU_INCOMPATIBLE = 91, "the CPU is incompatible with host CPU";
    XML_INVALID_SCHEMA = 92, "XML document failed to validate against schema";
    AUTH_UNAVAILABLE = 94, "authentication unavailable";
    DEVICE_MISSING = 99, "device not found";
    NO_FILTER_BINDING = 101, "Network filter binding not found";
    INVALID_CHECKPOINT = 102, "Invalid checkpoint";
    NO_CHECKPOINT = 103, "Domain checkpoint not found";
    NO_BACKUP = 104, "Domain backup job id not found";
    NO_NETWORK_PORT = 107, "network port not found";
    NO_HOSTNAME = 108, "no hostname found";
    CHECKPOINT_INCONSISTENT = 109, "checkpoint inconsistent";
    MULTIPLE_DOMAINS = 110, "multiple matching domains found";
    NO_NETWORK_METADATA = 111, "metadata not found";
    AGENT_COMMAND_TIMEOUT = 112, "guest agent command timed out";
    AGENT_COMMAND_FAILED = 113, "guest agent command failed";
}

#[allow(missing_docs)] // the names say it; the numbers are wire facts
impl ErrorOrigin {
    pub const NONE: ErrorOrigin = ErrorOrigin(0);
    pub const XEN: ErrorOrigin = ErrorOrigin(1);
    pub const XML: ErrorOrigin = ErrorOrigin(5);
    pub const RPC: ErrorOrigin = ErrorOrigin(7);
    pub const QEMU: ErrorOrigin = ErrorOrigin(10);
    pub const TEST: ErrorOrigin = ErrorOrigin(12);
    pub const REMOTE: ErrorOrigin = ErrorOrigin(13);
    pub const STORAGE: ErrorOrigin = ErrorOrigin(18);
    pub const NETWORK: ErrorOrigin = ErrorOrigin(19);
    pub const DOMAIN: ErrorOrigin = ErrorOrigin(20);
    pub const NODE_DEVICE: ErrorOrigin = ErrorOrigin(22);
    pub const STREAMS: ErrorOrigin = ErrorOrigin(38);
    pub const URI: ErrorOrigin = ErrorOrigin(45);
}

/// A failure with libvirt's code, its origin and the whole message a person will read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of failure this is.
    pub code: ErrorCode,
    /// Which part of the system found it.
    pub origin: ErrorOrigin,
    /// The message, libvirt's prefix for the code included.
    pub message: String,
}

impl Error {
    /// An error whose message is the code's prefix and `detail`.
    pub fn new(code: ErrorCode, detail: impl fmt::Display) -> Error {
        let prefix = code.prefix();
        let message = if prefix.is_empty() {
            detail.to_string()
        } else if matches!(code, ErrorCode::NO_CONNECT | ErrorCode::NO_SOURCE | ErrorCode::NO_TARGET) {
            format!("{prefix} {detail}")
        } else {
            format!("{prefix}: {detail}")
        };
        Error { code, origin: ErrorOrigin::NONE, message }
    }

    /// An error as a peer sent it: the message is whole already.
    pub fn from_wire(code: i32, origin: i32, message: String) -> Error {
        Error { code: ErrorCode(code), origin: ErrorOrigin(origin), message }
    }

    /// The same error, said to come from `origin`.
    #[must_use]
    pub fn from_origin(mut self, origin: ErrorOrigin) -> Error {
        self.origin = origin;
        self
    }

    /// The typed answer of a driver that lacks an operation; `function` is its public name (`virDomainSave`).
    pub fn unsupported(function: &'static str) -> Error {
        Error::new(ErrorCode::NO_SUPPORT, function)
    }

    /// The answer to a change asked over a read-only connection.
    pub fn read_only(function: &str) -> Error {
        Error::new(ErrorCode::OPERATION_DENIED, format!("read only access prevents {function}"))
    }

    /// `Requested operation is not valid: …`: right in itself, wrong for the object's present state.
    pub fn invalid_operation(detail: impl fmt::Display) -> Error {
        Error::new(ErrorCode::OPERATION_INVALID, detail)
    }

    /// `invalid argument: …`.
    pub fn invalid_argument(detail: impl fmt::Display) -> Error {
        Error::new(ErrorCode::INVALID_ARGUMENT, detail)
    }

    /// `unsupported configuration: …`: an XML request this driver cannot honour.
    pub fn unsupported_configuration(detail: impl fmt::Display) -> Error {
        Error::new(ErrorCode::CONFIG_UNSUPPORTED, detail)
    }

    /// `XML error: …`: the document is well formed but says something impossible.
    pub fn xml(detail: impl fmt::Display) -> Error {
        Error::new(ErrorCode::XML, detail).from_origin(ErrorOrigin::XML)
    }

    /// `internal error: …`: a peer or the system did what it should not.
    pub fn internal(detail: impl fmt::Display) -> Error {
        Error::new(ErrorCode::INTERNAL, detail)
    }

    /// `operation failed: …`.
    pub fn operation_failed(detail: impl fmt::Display) -> Error {
        Error::new(ErrorCode::OPERATION_FAILED, detail)
    }

    /// A failed system call: what was tried, then the system's own words, as libvirt prints them.
    pub fn system(tried: impl fmt::Display, cause: &std::io::Error) -> Error {
        let words = match cause.raw_os_error() {
            Some(number) => nix::errno::Errno::from_raw(number).desc().to_string(),
            None => cause.to_string(),
        };
        Error::new(ErrorCode::SYSTEM, format!("{tried}: {words}"))
    }

    /// Whether a driver lacks the operation altogether, so that another one may be asked.
    pub fn is_unsupported(&self) -> bool {
        self.code == ErrorCode::NO_SUPPORT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_the_code_opens_the_message() {
        let error = Error::new(ErrorCode::NO_DOMAIN, "no domain with matching name 'x'");
        assert_eq!(error.to_string(), "Domain not found: no domain with matching name 'x'");
        assert_eq!(
            Error::unsupported("virDomainSave").to_string(),
            "this function is not supported by the connection driver: virDomainSave"
        );
    }

    #[test]
    fn system_errors_use_the_systems_words() {
        let cause = std::io::Error::from_raw_os_error(2);
        assert_eq!(Error::system("open /x", &cause).to_string(), "open /x: No such file or directory");
    }
}
