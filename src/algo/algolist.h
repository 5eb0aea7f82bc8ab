/*
 * algolist.h
 *		All algorithms, one line each; included with ML_ALGORITHM defined.
 */
ML_ALGORITHM(ml_algo_linear)
ML_ALGORITHM(ml_algo_ridge)
ML_ALGORITHM(ml_algo_lasso)
ML_ALGORITHM(ml_algo_elastic_net)
ML_ALGORITHM(ml_algo_gbdt)
ML_ALGORITHM(ml_algo_logistic)
ML_ALGORITHM(ml_algo_knn)
ML_ALGORITHM(ml_algo_glm)
ML_ALGORITHM(ml_algo_kmeans)
ML_ALGORITHM(ml_algo_mlp)
ML_ALGORITHM(ml_algo_svm)
ML_ALGORITHM(ml_algo_tree)
ML_ALGORITHM(ml_algo_forest)
ML_ALGORITHM(ml_algo_extra_trees)
ML_ALGORITHM(ml_algo_bayes)
ML_ALGORITHM(ml_algo_one_class_svm)
ML_ALGORITHM(ml_algo_isolation_forest)
ML_ALGORITHM(ml_algo_pca)
ML_ALGORITHM(ml_algo_prep)
