"""Every error that sememe raises on purpose, as one tree.

::

    SememeError                         exit code 1 unless a subclass says otherwise
    ├── UsageError (ValueError)             2  the call itself is wrong
    │   ├── UnknownProfileError (LookupError)
    │   ├── UnknownLabelError (LookupError)
    │   ├── MissingExtraError (ImportError)     an optional dependency is not installed
    │   └── DeviceUnavailableError              a model should run on a device that is not there
    ├── InputError (ValueError)             1  one input cannot be used; a run goes on without it
    │   ├── UnreadableImageError                not an image, damaged, truncated or empty
    │   ├── ImageTooLargeError                  more pixels than the limit (decompression bomb)
    │   └── VectorError                         wrong shape, dtype, not finite or all zero
    ├── IntegrityError (ValueError)         4  bytes are not what they must be
    │   ├── FormatError                         a `.sem` file or packet breaks FORMAT.md
    │   │   ├── MagicError
    │   │   ├── VersionError
    │   │   ├── FlagError
    │   │   ├── LengthError
    │   │   ├── TruncatedError
    │   │   ├── TrailingDataError
    │   │   ├── ExtensionError
    │   │   └── ChecksumError
    │   ├── ProfileFormatError                  a profile file is damaged or not one
    │   ├── ProfileMismatchError                made with one profile, read with another
    │   ├── ArchiveFormatError                  not an archive, a newer one, or damaged
    │   ├── DecodeMismatchError                 this machine decodes a golden code to other vectors
    │   ├── HashMismatchError                   a model's file is not as the hub lists it, or as pinned
    │   ├── ModelFormatError                    a model's files are damaged, or lack what is needed
    │   ├── LockFileError                       the record of pinned files is damaged
    │   └── UnsafeNameError                     the hub lists a file name that leads out of its folder
    ├── ModelUnavailableError               5  weights are not on this machine
    │   ├── OfflineError                        and no socket may be opened
    │   └── DownloadError                       and the hub did not give them
    │       ├── AccessDeniedError               401, 403: a token or a licence is needed
    │       ├── NotOnHubError                   404: no such repository, revision or file
    │       ├── HubBusyError                    429, 5xx, after retries
    │       ├── HubUnreachableError             no address, no route, refused, no trust
    │       ├── DownloadTimeoutError            the hub fell silent
    │       ├── ConnectionCutError              it ended early, after retries
    │       └── UnexpectedAnswerError           a web page, another length, no JSON, a bad redirect
    └── StorageError (OSError)              1  the target cannot be written or read
        ├── DiskFullError
        ├── ReadOnlyError
        ├── ArchiveBusyError                    another process is writing
        └── StoreBusyError                      another process is downloading
"""


class SememeError(Exception):
    """Base of all errors raised on purpose; its message says what, where and what to do."""

    exit_code = 1


class UsageError(SememeError, ValueError):
    """The call itself is wrong: an argument, an option or a combination of them."""

    exit_code = 2


class UnknownProfileError(UsageError, LookupError):
    """No profile has that id, and no file that path."""


class UnknownLabelError(UsageError, LookupError):
    """A label list is empty, unreadable or holds nothing usable."""


class MissingExtraError(UsageError, ImportError):
    """An optional dependency is missing; the message names the extra to install."""


class DeviceUnavailableError(UsageError):
    """A model should run on a device that this machine, or the library installed, does not have."""


class InputError(SememeError, ValueError):
    """One input cannot be used. A run over many inputs records it and goes on."""


class UnreadableImageError(InputError):
    """The bytes are not an image, or are damaged, truncated or empty."""


class ImageTooLargeError(InputError):
    """The image holds more pixels than the limit, as a decompression bomb would."""


class VectorError(InputError):
    """Vectors have the wrong shape or dtype, are not finite, or are all zero."""


class IntegrityError(SememeError, ValueError):
    """Bytes are not what they must be."""

    exit_code = 4


class FormatError(IntegrityError):
    """A single-image file or packet breaks FORMAT.md."""


class MagicError(FormatError):
    """The bytes do not begin with the magic of a `.sem` file."""


class VersionError(FormatError):
    """The file was written by a newer version of the format."""


class FlagError(FormatError):
    """A flag is set that this version does not define."""


class LengthError(FormatError):
    """A length field holds a value that the format forbids."""


class TruncatedError(FormatError):
    """The bytes end before the file does."""


class TrailingDataError(FormatError):
    """Bytes follow the end of the file."""


class ExtensionError(FormatError):
    """The extension area is not a sequence of well-formed, ascending fields."""


class ChecksumError(FormatError):
    """The checksum does not match: the bytes were damaged."""


class ProfileFormatError(IntegrityError):
    """A profile file is damaged, or not a profile."""


class ProfileMismatchError(IntegrityError):
    """Something made with one profile was about to be read with another."""


class ArchiveFormatError(IntegrityError):
    """The file is not an archive, was written by a newer version, or is damaged."""


class DecodeMismatchError(IntegrityError):
    """A golden code decodes on this machine to other vectors than it must."""


class HashMismatchError(IntegrityError):
    """A model's file is not the one that the hub lists, or that was pinned when it was fetched."""


class ModelFormatError(IntegrityError):
    """The files of a model are damaged, are not those of an image-text model, or lack a key."""


class LockFileError(IntegrityError):
    """The record of pinned commits and hashes is damaged."""


class UnsafeNameError(IntegrityError):
    """The hub lists a file name that would lead out of the model's folder."""


class ModelUnavailableError(SememeError):
    """The weights of a backbone are not on this machine and may not be fetched."""

    exit_code = 5


class OfflineError(ModelUnavailableError):
    """It would have to be downloaded, and no socket may be opened."""


class DownloadError(ModelUnavailableError):
    """The hub did not give what was asked for."""


class AccessDeniedError(DownloadError):
    """The hub wants a token, or a licence accepted (401, 403)."""


class NotOnHubError(DownloadError):
    """The hub has no such repository, revision or file (404)."""


class HubBusyError(DownloadError):
    """The hub is overloaded or broken (429, 5xx), and still was after some retries."""


class HubUnreachableError(DownloadError):
    """No connection to the hub: no address, no route, refused, or not to be trusted."""


class DownloadTimeoutError(DownloadError):
    """The hub fell silent for longer than the timeout, more than once."""


class ConnectionCutError(DownloadError):
    """The connection ended before the file did, more than once; what came is kept."""


class UnexpectedAnswerError(DownloadError):
    """The answer is not what a hub gives: a web page, another length, no JSON, a bad redirect."""


class StorageError(SememeError, OSError):
    """The target cannot be read or written."""


class DiskFullError(StorageError):
    """No space is left; everything acknowledged before is safe."""


class ReadOnlyError(StorageError):
    """The target may not be written."""


class ArchiveBusyError(StorageError):
    """Another process has been writing to the archive for longer than the wait."""


class StoreBusyError(StorageError):
    """Another process has been downloading the same model for longer than the wait."""
