// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptors of processes, and files by name.
#ifndef VMI_WALK_FILES_H
#define VMI_WALK_FILES_H

#include "src/walk/path.h"
#include "src/walk/tasks.h"

// An open descriptor of a process.
struct open_file {
	const struct task *task; // the process's leader
	uint64_t fd;
	uint64_t file;	// struct file
	uint64_t inode; // struct inode; 0 if it can't be read
	bool cloexec;
};

// Visits the descriptors of every process in the order of processes, then of numbers. What can't be
// read is reported for the table.
void files_each(struct walk *w, enum table_id table,
		void (*visit)(void *arg, const struct open_file *f), void *arg);

// The root directory by which names are printed: that of the first process.
struct kpath files_reader_root(struct walk *w);

// The low bits of file pointers carry flags in some tables; this is the pointer without them.
static inline uint64_t files_pointer(uint64_t p)
{
	return p & ~3ULL;
}

// A struct file's inode, 0 if it can't be read.
uint64_t file_inode(struct walk *w, uint64_t file);

// A time of an inode in nanoseconds; absent if it is none.
struct opt_int inode_time(struct walk *w, uint64_t inode, enum field sec, enum field nsec);

extern const struct extractor walk_open_files; // process_open_files
extern const struct extractor walk_file;       // file

#endif
