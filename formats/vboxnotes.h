// SPDX-License-Identifier: LGPL-2.1-or-later
// Notes of a VirtualBox core (VBoxManage debugvm dumpvmcore).
#ifndef VMI_FORMATS_VBOXNOTES_H
#define VMI_FORMATS_VBOXNOTES_H

#include "formats/fmt.h"

// Whether a note segment is VirtualBox's.
bool vbox_notes_are(const uint8_t *notes, size_t n);
// vCPUs and facts into img.
void vbox_notes_take(struct image *img, const uint8_t *notes, size_t n);

#endif
