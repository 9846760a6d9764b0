package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerManagedPolicies(*service.Registry, *Service) {}
