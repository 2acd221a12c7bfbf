// SPDX-License-Identifier: LGPL-2.1-or-later
// Users, groups and logins, out of files that the page cache holds.
#ifndef VMI_WALK_USERS_H
#define VMI_WALK_USERS_H

#include "src/walk/walk.h"

extern const struct extractor walk_users;  // users, groups, user_groups; needs w->tasks
extern const struct extractor walk_logins; // logged_in_users, last; needs w->tasks

#endif
