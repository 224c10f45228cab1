//! A file system for SQLite that writes down every write and sync, so that a power cut at any moment can be imitated.
//! It passes everything on to `unix-excl`, the one that the product uses, but for the syncs themselves: what they
//! mean is what is tested, and a thousand real ones would only take time.
#![expect(unsafe_code, reason = "SQLite's file systems are tables of C functions")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::ffi::{
    SQLITE_ERROR, SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_OK, SQLITE_OPEN_CREATE,
    SQLITE_OPEN_MAIN_DB, SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_filename,
    sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::disk::{Disk, Event};

/// The file system beneath.
const BENEATH: &CStr = c"unix-excl";

/// A registered file system with its own disk. It stays registered until the process ends.
#[derive(Debug)]
pub struct CrashVfs {
    name: String,
    disk: Arc<Mutex<Disk>>,
    faults: Arc<Faults>,
}

/// What goes wrong now.
#[derive(Debug)]
struct Faults {
    /// A file cannot grow beyond this.
    room: AtomicU64,
    /// Syncs answer with an error.
    syncs_fail: AtomicBool,
}

impl CrashVfs {
    /// Registers a file system under `name`, which must be new.
    ///
    /// # Errors
    /// If SQLite was built without `unix-excl` or refuses the registration.
    pub fn register(name: &str) -> Result<Self, String> {
        let disk = Arc::new(Mutex::new(Disk::default()));
        let c_name = CString::new(name).map_err(|e| e.to_string())?;
        // SAFETY: a look-up by a valid C string; registered file systems live for ever.
        let beneath = unsafe { sqlite3_vfs_find(BENEATH.as_ptr()) };
        if beneath.is_null() {
            return Err("this SQLite has no unix-excl".to_owned());
        }
        // SAFETY: not null, and never changed after its registration.
        let base = unsafe { *beneath };
        let own_size = c_int::try_from(size_of::<OpenFile>()).map_err(|e| e.to_string())?;
        let faults = Arc::new(Faults { room: AtomicU64::new(u64::MAX), syncs_fail: AtomicBool::new(false) });
        let shared = Box::new(Shared { beneath, disk: Arc::clone(&disk), faults: Arc::clone(&faults) });
        let vfs = Box::new(sqlite3_vfs {
            szOsFile: own_size + base.szOsFile,
            pNext: std::ptr::null_mut(),
            zName: c_name.into_raw(),
            pAppData: Box::into_raw(shared).cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            // The others of `unix-excl` do not look at the table they are called through.
            ..base
        });
        // SAFETY: the table and everything it points to are leaked, so they live as long as SQLite may use them.
        let code = unsafe { sqlite3_vfs_register(Box::into_raw(vfs), 0) };
        if code == SQLITE_OK {
            Ok(Self { name: name.to_owned(), disk, faults })
        } else {
            Err(format!("code {code}"))
        }
    }

    /// The name to open a database with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From now on no file can grow beyond `bytes`: the disk is full. `None` gives room again.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.faults.room.store(bytes.unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// From now on syncs fail (or do not any more).
    pub fn set_syncs_fail(&self, fail: bool) {
        self.faults.syncs_fail.store(fail, Ordering::SeqCst);
    }

    /// What happened so far.
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock()
    }
}

/// What the functions of one file system share.
struct Shared {
    beneath: *mut sqlite3_vfs,
    disk: Arc<Mutex<Disk>>,
    faults: Arc<Faults>,
}

/// An open file: SQLite's own part first, then ours; the file of the file system beneath follows in memory.
#[repr(C)]
struct OpenFile {
    methods: *const sqlite3_io_methods,
    shared: *const Shared,
    /// A leaked box, freed on close; null for temporary files, which no power cut concerns.
    name: *mut String,
}

// The file beneath stands behind ours and must be aligned like it.
const _: () = assert!(size_of::<OpenFile>().is_multiple_of(align_of::<u64>()));

impl OpenFile {
    /// SAFETY: `file` is a file opened by [`open`].
    unsafe fn of<'f>(file: *mut sqlite3_file) -> &'f Self {
        unsafe { &*file.cast::<Self>() }
    }

    /// SAFETY: `file` is a file opened by [`open`].
    unsafe fn beneath(file: *mut sqlite3_file) -> *mut sqlite3_file {
        unsafe { file.cast::<Self>().add(1).cast() }
    }

    fn faults(&self) -> &Faults {
        // SAFETY: `shared` is leaked by the registration.
        unsafe { &(*self.shared).faults }
    }

    fn note(&self, event: impl FnOnce(String) -> Event) {
        // SAFETY: `name` and `shared` are valid while the file is open.
        if let (Some(name), shared) = unsafe { (self.name.as_ref(), &*self.shared) } {
            shared.disk.lock().note(event(name.clone()));
        }
    }
}

fn file_name(path: &CStr) -> Option<String> {
    Path::new(path.to_str().ok()?).file_name()?.to_str().map(str::to_owned)
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    path: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls with the registered table and with memory of `szOsFile` bytes.
    unsafe {
        let shared = (*vfs).pAppData.cast::<Shared>();
        let own = file.cast::<OpenFile>();
        own.write(OpenFile { methods: std::ptr::null(), shared, name: std::ptr::null_mut() });
        let beneath = OpenFile::beneath(file);
        let Some(open_beneath) = (*(*shared).beneath).xOpen else { return SQLITE_ERROR };
        let code = open_beneath((*shared).beneath, path, beneath, flags, out_flags);
        if code != SQLITE_OK {
            return code;
        }
        let concerns = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
        if !path.is_null()
            && flags & concerns != 0
            && let Some(name) = file_name(CStr::from_ptr(path))
        {
            if flags & SQLITE_OPEN_CREATE != 0 {
                (*shared).disk.lock().note(Event::Create { file: name.clone() });
            }
            (*own).name = Box::into_raw(Box::new(name));
        }
        (*own).methods = &raw const METHODS;
        SQLITE_OK
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, path: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite calls with the registered table and a valid path.
    unsafe {
        let shared = &*(*vfs).pAppData.cast::<Shared>();
        let Some(delete_beneath) = (*shared.beneath).xDelete else { return SQLITE_ERROR };
        let code = delete_beneath(shared.beneath, path, 0);
        if code == SQLITE_OK
            && let Some(file) = file_name(CStr::from_ptr(path))
        {
            let directory_synced = sync_directory != 0;
            shared.disk.lock().note(Event::Delete { file, directory_synced });
        }
        code
    }
}

/// No `xFetch`: what is mapped could be written without our notice.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Calls the same function of the file beneath.
macro_rules! pass_on {
    ($file:ident, $function:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls with an open file; the one beneath was opened with it.
        unsafe {
            let beneath = OpenFile::beneath($file);
            match (*(*beneath).pMethods).$function {
                Some(function) => function(beneath $(, $argument)*),
                None => SQLITE_ERROR,
            }
        }
    }};
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let code = pass_on!(file, xClose);
    // SAFETY: an open file; its name was made by `open` and is freed only here.
    unsafe {
        let own = file.cast::<OpenFile>();
        if !(*own).name.is_null() {
            drop(Box::from_raw((*own).name));
            (*own).name = std::ptr::null_mut();
        }
    }
    code
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    to: *mut c_void,
    amount: c_int,
    offset: sqlite3_int64,
) -> c_int {
    pass_on!(file, xRead, to, amount, offset)
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    from: *const c_void,
    amount: c_int,
    offset: sqlite3_int64,
) -> c_int {
    let (Ok(length), Ok(at)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite hands over `amount` bytes; the file is open.
    let (own, bytes) = unsafe { (OpenFile::of(file), std::slice::from_raw_parts(from.cast::<u8>(), length)) };
    if at + length as u64 > own.faults().room.load(Ordering::SeqCst) {
        return SQLITE_FULL;
    }
    let code = pass_on!(file, xWrite, from, amount, offset);
    if code == SQLITE_OK {
        own.note(|file| Event::Write { file, offset: at, bytes: bytes.to_vec() });
    }
    code
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    let code = pass_on!(file, xTruncate, size);
    if let (SQLITE_OK, Ok(length)) = (code, u64::try_from(size)) {
        // SAFETY: an open file.
        unsafe { OpenFile::of(file) }.note(|file| Event::Truncate { file, length });
    }
    code
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let own = unsafe { OpenFile::of(file) };
    if own.faults().syncs_fail.load(Ordering::SeqCst) {
        return SQLITE_IOERR_FSYNC;
    }
    own.note(|file| Event::Sync { file });
    SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    pass_on!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass_on!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass_on!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    pass_on!(file, xCheckReservedLock, out)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    pass_on!(file, xFileControl, op, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass_on!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    pass_on!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    pass_on!(file, xShmMap, page, size, extend, out)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    pass_on!(file, xShmLock, offset, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as in `pass_on`.
    unsafe {
        let beneath = OpenFile::beneath(file);
        if let Some(barrier) = (*(*beneath).pMethods).xShmBarrier {
            barrier(beneath);
        }
    }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete_file: c_int) -> c_int {
    pass_on!(file, xShmUnmap, delete_file)
}
