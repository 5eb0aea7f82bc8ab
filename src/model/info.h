/*
 * info.h
 *		Parts of the INFO section that trained and imported models share.
 */
#ifndef ML_INFO_H
#define ML_INFO_H

#include "model/model.h"

/* "importance": features by falling gain, shares that sum to 1; nothing where the algorithm has none. */
extern MlStatus ml_info_importance(MlArena *temp, const MlModel *model, MlJsonWriter *w);

#endif /* ML_INFO_H */
