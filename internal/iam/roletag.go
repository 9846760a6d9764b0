package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerRoleTags(*service.Registry, *Service) {}
