// SPDX-License-Identifier: LGPL-2.1-or-later
// block_devices: the inodes of the bdev file system, in each of which a struct block_device lies.
// Since 5.11 every disk and partition has one, before those alone that were opened.
#include "src/walk/block.h"

#include "src/base/u64map.h"
#include "src/walk/path.h"

#include <ctype.h>
#include <string.h>

enum {
	MAX_DEVICES = 1 << 16,
	MAX_SUPER_BLOCKS = 1 << 16,
	SECTOR = 512,
	UUID_SIZE = 16,
	NAME_SIZE = 64, // of gendisk.disk_name, which has 32
	PART_MASK = 0xff,
};

struct disks {
	struct walk *w;
	struct u64map mounted; // block_device to super_block
};

static uint64_t part_number(struct walk *w, uint64_t bdev)
{
	uint64_t v;

	if (k_get(w->k, bdev, F(block_device, bd_partno), &v))
		return v;
	return k_or0(w->k, bdev, F(block_device, bd_flags)) & PART_MASK;
}

// The name of a disk ends in a digit, then p stands before the number: disk_name() of
// block/genhd.c.
static void fill_names(struct walk *w, struct row_block_devices *row, uint64_t disk, uint64_t part)
{
	char name[NAME_SIZE + 1];
	size_t n = k_bytes(w->k, disk, F(gendisk, disk_name), name, NAME_SIZE);

	name[n] = '\0';
	n = strlen(name);
	if (n == 0)
		return;
	row->parent = part ? row_printf(w, "/dev/%s", name) : some_text("");
	if (part == 0)
		row->name = row_printf(w, "/dev/%s", name);
	else
		row->name =
			row_printf(w, "/dev/%s%s%u", name,
				   isdigit((unsigned char)name[n - 1]) ? "p" : "", (unsigned)part);
}

static struct opt_int sectors(struct walk *w, uint64_t bdev, uint64_t inode)
{
	uint64_t size;

	if (k_has(w->k, F(block_device, bd_nr_sectors)))
		return col_int(w, bdev, F(block_device, bd_nr_sectors));
	return k_get(w->k, inode, F(inode, i_size), &size) ? some_int((int64_t)(size / SECTOR))
							   : (struct opt_int){0};
}

static struct opt_text uuid_text(struct walk *w, uint64_t sb)
{
	uint8_t u[UUID_SIZE], any = 0;

	if (k_bytes(w->k, sb, F(super_block, s_uuid), u, sizeof(u)) != sizeof(u))
		return (struct opt_text){0};
	for (size_t i = 0; i < sizeof(u); i++)
		any |= u[i];
	if (!any)
		return (struct opt_text){0};
	return row_printf(w, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			  u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
			  u[12], u[13], u[14], u[15]);
}

static void fill_file_system(const struct disks *d, struct row_block_devices *row, uint64_t bdev)
{
	struct walk *w = d->w;
	const uint64_t *sb = u64map_get(&d->mounted, bdev);

	if (!sb)
		return;
	row->uuid = uuid_text(w, *sb);
	row->type = col_string(w, k_or0(w->k, *sb, F(super_block, s_type)),
			       F(file_system_type, name), NAME_SIZE);
}

static void emit_device(const struct disks *d, uint64_t inode)
{
	struct walk *w = d->w;
	struct kernel *k = w->k;
	uint64_t whole = k_container(k, inode, F(bdev_inode, vfs_inode)), dev;
	uint64_t bdev = k_field_va(k, whole, F(bdev_inode, bdev));
	uint64_t disk = k_or0(k, bdev, F(block_device, bd_disk));
	uint64_t queue = k_or0(k, disk, F(gendisk, queue));
	struct row_block_devices row = {
		.size = sectors(w, bdev, inode),
		.block_size = col_int(w, queue, F(request_queue, logical_block_size)),
		.device_addr = some_addr(bdev),
		.disk_addr = col_ptr(disk),
	};

	if (!disk || !k_get(k, bdev, F(block_device, bd_dev), &dev) || dev == 0)
		return; // the root inode of the file system; a device that is gone
	fill_names(w, &row, disk, part_number(w, bdev));
	fill_file_system(d, &row, bdev);
	row.device = col_device(w, dev);
	WALK_EMIT(w, block_devices, &row);
}

// Which file systems are on which devices: all super blocks are on one list.
static void find_mounted(struct disks *d, uint64_t sb)
{
	struct kernel *k = d->w->k;
	struct list_iter it;
	uint64_t node, at, bdev;

	list_begin(&it, k, k_field_va(k, sb, F(super_block, s_list)), MAX_SUPER_BLOCKS);
	while (list_next(&it, &node)) { // one of them is the list's head, in the kernel's image
		at = k_container(k, node, F(super_block, s_list));
		if (k_get(k, at, F(super_block, s_bdev), &bdev) && bdev && k_plausible(k, bdev))
			(void)u64map_add(&d->mounted, bdev, at);
	}
}

static void run(struct walk *w)
{
	struct disks d = {.w = w};
	uint64_t sb = 0, node;
	struct list_iter it;

	if (!k_variable(w->k, S(blockdev_superblock), w->k->word, &sb) || !sb) {
		walk_unavailable(w, TABLE_block_devices,
				 "the super block of block devices was not found");
		return;
	}
	find_mounted(&d, sb);
	list_begin(&it, w->k, k_field_va(w->k, sb, F(super_block, s_inodes)), MAX_DEVICES);
	while (list_next(&it, &node))
		emit_device(&d, k_container(w->k, node, F(inode, i_sb_list)));
	walk_check_end(w, TABLE_block_devices, 0, sb, it.end, "the list of block devices");
	u64map_fini(&d.mounted);
}

const struct extractor walk_block = {
	.name = "block",
	.tables = {TABLE_block_devices},
	.n_tables = 1,
	.needs = {F(bdev_inode, bdev), F(bdev_inode, vfs_inode), F(block_device, bd_disk),
		  F(gendisk, disk_name), F(super_block, s_inodes), F(inode, i_sb_list)},
	.n_needs = 6,
	.run = run,
};
