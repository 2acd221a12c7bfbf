/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth goes out as one ustar stream; nothing of it is kept in the guest. */
#ifndef TRUTH_H
#define TRUTH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that grows; reused from file to file so that the collector allocates little. */
struct text {
	char *data;
	size_t length, room;
};

void text_clear(struct text *t);
void text_add(struct text *t, const void *data, size_t length);
void text_format(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Backslash, control and non-ASCII bytes as \xNN, so that one line stays one line. */
void text_escape(struct text *t, const char *data, size_t length);

/* Whole file into t; false if it cannot be opened or read. */
bool text_read(struct text *t, const char *path);
/* Target of a link, escaped, onto the end of t. */
bool text_link(struct text *t, const char *path);

void tar_open(int fd);
void tar_add(const struct text *content, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Copies a file of the guest; what cannot be read is left out. */
void tar_file(const char *source, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Copies the regular files below a folder. */
void tar_tree(const char *source, const char *name, int depth);
void tar_close(void);

/* Calls each(name, arg) for the entries of a folder but . and .. */
void each_entry(const char *path, void (*each)(const char *name, void *arg), void *arg);

void collect_processes(void);
void collect_process(int pid);
void collect_sockets(int pid);
void collect_networks(void);
void collect_unix(uint64_t network_inode);
void collect_mount_spaces(void);
void collect_firewall(uint64_t network);
void collect_log_records(void);
void collect_settings(void);
void collect_disks(void);
void collect_ipc_spaces(void);

#endif
